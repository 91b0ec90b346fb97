//! Any bytes as a TREC run: read and written back the same, or one error on one line.

#![no_main]

use fastlane_eval::Run;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Run::read(bytes, "fuzz") {
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        Ok(run) => {
            let mut written = Vec::new();
            // A vertical tab or a mark in an id is accepted on reading, as in trec_eval, but not on writing.
            if run.write(&mut written).is_ok() {
                assert_eq!(Run::read(&*written, "again").expect("what we write we read"), run);
            }
        }
    }
});
