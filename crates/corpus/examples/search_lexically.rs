//! Index a few documents, then search them by words and by what they say about themselves.
//!
//! `cargo run -p fastlane-corpus --example search_lexically`

use std::error::Error;
use std::num::NonZero;

use fastlane_corpus::{Document, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let threads = NonZero::<usize>::MIN;
    let mut writer = LexicalWriter::create(directory.path(), LexicalSettings::default(), threads)?;
    writer.add(&paper("newton", 1687, "Every mass attracts every other mass."))?;
    writer.add(&paper("einstein", 1915, "Mass curves spacetime; curvature moves masses."))?;
    writer.add(&paper("planck", 1900, "Energy comes in quanta."))?;
    writer.finish()?;

    // Stemming lets "curved" find "curves"; the filter leaves Newton out.
    let reader = LexicalReader::open(directory.path())?;
    let search = LexicalSearch { filter: Some("year >= 1900".parse()?), ..Default::default() };
    let hits = reader.search("What is curved by a mass?", &search)?;
    for hit in &hits {
        show(hit.score, &reader.get(&hit.id)?.ok_or("a hit is in the index")?);
    }
    assert_eq!(hits.len(), 1);
    Ok(())
}

fn paper(id: &str, year: u32, text: &str) -> Document {
    let metadata = [("year".to_owned(), year.into())].into_iter().collect();
    Document { id: id.to_owned(), text: text.to_owned(), metadata, ..Default::default() }
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn show(score: f32, document: &Document) {
    println!("{score:.3}  {}: {}", document.id, document.text);
}
