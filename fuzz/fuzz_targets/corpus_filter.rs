//! Any text as a filter: one that prints and parses back the same, or an error, but no panic.

#![no_main]

use fastlane_corpus::{Filter, Metadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match text.parse::<Filter>() {
        Ok(filter) => {
            filter.matches(&Metadata::new());
            assert_eq!(filter.to_string().parse(), Ok(filter));
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});
