//! Any bytes as JSONL: documents with usable ids, or one error on one line, but no panic.

#![no_main]

use std::io::Cursor;

use fastlane_corpus::{Documents, Format, Queries, ReadSettings, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let settings = ReadSettings { format: Some(Format::Jsonl), ..ReadSettings::default() };
    let source = || Source::from_reader(Cursor::new(bytes.to_vec()), "fuzz");
    if let Ok(documents) = source().and_then(|source| Documents::from_source(source, &settings)) {
        for document in documents {
            match document {
                Ok(document) => assert!(!document.id.trim().is_empty()),
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            }
        }
    }
    if let Ok(queries) = source().and_then(|source| Queries::from_source(source, &settings)) {
        queries.for_each(drop);
    }
});
