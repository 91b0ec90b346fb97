//! Any bytes as a PDF: a document of which all places are in its text, or an error, but no panic.

#![no_main]

use std::io::Cursor;

use fastlane_corpus::{Document, Documents, Format, PassageSettings, ReadSettings, Source};
use fastlane_corpus::{passages, words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = "a.pdf";
    let bytes = [b"%PDF-1.4\n", bytes].concat();
    let settings = ReadSettings { format: Some(Format::Texts), ..ReadSettings::default() };
    let Ok(source) = Source::from_reader(Cursor::new(bytes), name) else { return };
    for document in Documents::from_source(source, &settings).expect("the name is an id") {
        match document {
            Ok(document) => check(&document),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
});

fn check(document: &Document) {
    let Document { text, outline, .. } = document;
    let headings: Vec<usize> = outline.headings.iter().map(|heading| heading.at).collect();
    for places in [&headings, &outline.pages, &outline.breaks] {
        assert!(places.is_sorted());
        assert!(places.iter().all(|place| text.is_char_boundary(*place)));
    }
    let found = passages(document, PassageSettings::default(), &words);
    assert!(text.trim().is_empty() || !found.is_empty());
}
