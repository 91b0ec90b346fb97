//! Valid and invalid search requests.

use std::cell::Cell;

use super::{DIM, THOROUGH, found, index_settings, lane, open, settings, views};
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

#[test]
fn a_recall_is_a_share_above_0() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..400).for_each(|one| writer.add(&format!("d{one}"), &views(one, 50), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(1_000, 1);
    let search = |recall| found(&reader, query.row(0), 20, Nominate::Recall(recall));
    let exact = found(&reader, query.row(0), 20, Nominate::Scan);
    assert_eq!(search(1.0), exact);
    assert_eq!(search(0.98), found(&reader, query.row(0), 20, Nominate::Auto));
    let right = |recall| search(recall).iter().filter(|one| exact.contains(one)).count();
    assert!(right(0.999) >= 19 && right(1e-6) < 20 && search(1e-6).len() == 20);
    for recall in [0.0, -0.5, 1.001, f32::NAN, f32::INFINITY] {
        let nominate = Nominate::Recall(recall);
        let lanes = [lane(query.row(0))];
        let error = reader.search(&Request { nominate, ..Request::new(&lanes, 1) }).unwrap_err();
        assert!(matches!(error, SearchError::Recall { .. }), "{recall}");
        assert!(error.to_string().contains("wanted one above 0 and at most 1"), "{error}");
    }
}

#[test]
fn the_largest_values_of_a_query_find_what_small_ones_find() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..400).for_each(|one| writer.add(&format!("d{one}"), &views(one, 50), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(1_000, 1);
    let large: Vec<f32> = query.values().iter().map(|value| value * 1e30).collect();
    let ids = |view: &[f32], nominate| {
        let hits = found(&reader, view, 5, nominate);
        hits.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    let exact = ids(query.row(0), Nominate::Scan);
    for nominate in [Nominate::Recall(0.9999), Nominate::Lists { probes: 500, margin: 9.0 }] {
        assert_eq!(ids(query.row(0), nominate), exact);
        assert_eq!(ids(&large, nominate), exact);
    }
}

#[test]
fn defect_s1_a_search_stops_between_documents_and_between_lists() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    (0..400).for_each(|one| writer.add(&format!("d{one}"), &views(one, 50), None).unwrap());
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let query = views(1_000, 4);
    let lanes = [lane(query.row(0)), lane(query.row(1))];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 400 });
    for nominate in [Nominate::All, Nominate::Scan, THOROUGH] {
        let request = Request { nominate, rerank, ..Request::new(&lanes, 10) };
        let whole = reader.search(&request).unwrap();
        let asked = Cell::new(0);
        let search = |times| {
            asked.set(0);
            let go_on = || {
                asked.set(asked.get() + 1);
                asked.get() <= times
            };
            reader.search_while(&request, &go_on).map(|(hits, _)| hits)
        };
        assert_eq!(search(usize::MAX).unwrap(), whole);
        let all = asked.get();
        assert!(all >= 400 / 32, "{nominate:?}: asked {all} times");
        for times in [0, 1, all / 2, all - 1] {
            assert!(matches!(search(times), Err(SearchError::Stopped)), "{nominate:?}: {times}");
            assert_eq!(asked.get(), times + 1, "{nominate:?}: it ends at once");
        }
    }
}
