//! Any bytes as qrels: read and written back the same in either format, or one error on one line.

#![no_main]

use fastlane_eval::{Qrels, QrelsFormat};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Qrels::read(bytes, "fuzz") {
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        Ok(qrels) => {
            for format in [QrelsFormat::Trec, QrelsFormat::Beir] {
                let mut written = Vec::new();
                if qrels.write(&mut written, format).is_ok() {
                    let again = Qrels::read(&*written, "again").expect("what we write we read");
                    assert_eq!(again, qrels);
                }
            }
        }
    }
});
