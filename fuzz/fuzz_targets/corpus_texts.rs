//! Any bytes as a text of any format: a document of which all places are in its text, or an error, but no panic.
//!
//! The first byte picks the format.

#![no_main]

use std::io::Cursor;

use fastlane_corpus::{Document, Documents, Format, PassageSettings, ReadSettings, Source};
use fastlane_corpus::{passages, words};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 10] =
    ["a.html", "a.1", "a.ipynb", "a.rs", "a.py", "a.cc", "a.ts", "a.rst", "a.md", "a.txt"];

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let settings = ReadSettings { format: Some(Format::Texts), ..ReadSettings::default() };
    let Ok(source) = Source::from_reader(Cursor::new(bytes.to_vec()), name) else { return };
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
