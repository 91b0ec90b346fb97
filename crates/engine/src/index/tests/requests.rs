//! What a search may be asked for, and what not.

use super::{DIM, found, index_settings, lane, settings};
use crate::{
    IndexSettings, Nominate, Reader, Reduction, Request, Rerank, SearchError, TokenMatrix, Writer,
    WriterSettings,
};

fn unit(place: usize) -> TokenMatrix {
    let mut values = vec![0.0; DIM];
    values[place] = 1.0;
    TokenMatrix::new(DIM, values)
}

#[test]
fn lane_views_alone_never_score_by_late_interaction() {
    let directory = tempfile::tempdir().unwrap();
    let reduction = Reduction::default();
    let lanes_only = IndexSettings { lanes_only: true, ..index_settings() };
    let open =
        |index| Writer::open(directory.path(), index, WriterSettings { reduction, ..settings() });
    let mut writer = open(&lanes_only).unwrap();
    let same = TokenMatrix::new(DIM, [unit(0).values(), unit(0).values()].concat());
    writer.add("a", &same, None).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.statistics().views, 2, "lane views all stay");
    let query = unit(0);
    assert_eq!(found(&reader, query.row(0), 1, Nominate::Auto), [("a".to_owned(), 1.0)]);
    let error = reader.search(&Request::sum_max(&query, 1)).unwrap_err();
    assert!(matches!(error, SearchError::LanesOnly));
    let lanes = [lane(query.row(0))];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 5 });
    let error = reader.search(&Request { rerank, ..Request::new(&lanes, 1) }).unwrap_err();
    assert_eq!(error.hint(), Some("index token views as well, or search without rerank"));
    let error = open(&index_settings()).unwrap_err().to_string();
    assert!(error.ends_with("has views that are lane views alone, wanted token views"), "{error}");
}
