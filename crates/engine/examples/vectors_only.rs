//! An index over vectors without any text: build it, search it, read it back.
//!
//! ```sh
//! cargo run -p fastlane-engine --example vectors_only
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use fastlane_engine::{
    IndexSettings, Lane, Reader, Request, Rerank, Store, TokenMatrix, Writer, WriterSettings,
};

const DIM: usize = 8;

/// A view between two axes, of unit length.
fn between(first: usize, second: usize) -> [f32; DIM] {
    let mut view = [0.0; DIM];
    (view[first], view[second]) = (0.8, 0.6);
    view
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let settings = IndexSettings {
        dim: DIM,
        token_dim: None,
        lanes_only: false,
        model: String::new(), // whatever made the vectors; a reader can compare it
        store: Store::F16,
    };
    // a document is as many views as you like
    let mut writer = Writer::open(folder.path(), &settings, WriterSettings::default())?;
    for document in 0..6 {
        let views = [between(document, document + 1), between(document + 1, document + 2)];
        let views = TokenMatrix::new(DIM, views.concat());
        writer.add(&format!("document-{document}"), &views, None)?;
    }
    writer.delete("document-5")?;
    let generation = writer.commit()?;

    // one view of the query searches, and both score the best documents by late interaction
    let query = TokenMatrix::new(DIM, [between(2, 3), between(4, 3)].concat());
    let lanes = [Lane { token: 0, weight: 1.0, view: query.row(0) }];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 4 });
    let reader = Reader::open(folder.path())?;
    let hits = reader.search(&Request { rerank, ..Request::new(&lanes, 3) })?;
    for hit in &hits {
        let pairs = hit.pairs.iter().map(|pair| format!("{}→{}", pair.query, pair.view));
        println!("{:.3}  {}  views {}", hit.score, hit.id, pairs.collect::<Vec<_>>().join(", "));
    }
    println!("{} documents in generation {generation}", reader.ids().count());
    assert_eq!(hits[0].id, "document-2");
    assert!(!reader.contains("document-5"));
    Ok(())
}
