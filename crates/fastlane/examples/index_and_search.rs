//! Documents in, answers out.
//!
//! ```sh
//! cargo run -p fastlane --example index_and_search
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use fastlane::{Collection, Document, Fusion, Model, Search, Settings};

/// A tiny model that the tests use; `models/fastlane-mini` is one that knows more.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let model = Model::open(MODEL, &Settings::default())?;
    let notes = Collection::options().encoder(model).create(folder.path().join("notes"))?;

    let texts = [
        ("keeper", "the old keeper lights the lamp"),
        ("ships", "nine ships were seen from the harbour"),
        ("bread", "baking bread takes a day"),
    ];
    let documents = texts.map(|(id, text)| Document {
        id: id.to_owned(),
        text: text.to_owned(),
        ..Document::default()
    });
    let mut writer = notes.writer()?;
    let changes = writer.add(documents)?;
    writer.commit()?;
    println!("added: {}", changes.added);

    // late interaction and words together
    let found = notes.search(&Search::text("ships in the harbour").k(2).fusion(Fusion::Ranks))?;
    for hit in &found.hits {
        let passage: String = hit.snippet.iter().map(|piece| piece.text.as_str()).collect();
        println!("{}. {}: {passage}", hit.rank, hit.document.id);
    }
    assert_eq!(found.hits[0].document.id, "ships");
    Ok(())
}
