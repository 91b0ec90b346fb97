//! Any bytes as CSV, TSV and MS MARCO: one-line ids, or one error, but no panic.
//!
//! The first byte picks the format.

#![no_main]

use std::io::Cursor;

use fastlane_corpus::{Documents, Format, ReadSettings, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let format = [Format::Csv, Format::Tsv, Format::Marco][usize::from(first % 3)];
    let settings = ReadSettings { format: Some(format), ..ReadSettings::default() };
    let Ok(source) = Source::from_reader(Cursor::new(bytes.to_vec()), "fuzz") else { return };
    let Ok(documents) = Documents::from_source(source, &settings) else { return };
    for document in documents {
        match document {
            Ok(document) => {
                assert!(!document.id.contains(char::is_control));
                assert!(format == Format::Csv || !document.text.contains('\t'));
            }
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
});
