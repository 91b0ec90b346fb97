//! Any bytes as plain, gzip or Zstandard data: the same bytes, whatever the sizes of reads.
//!
//! Uncompressed data is returned unchanged, except for one byte order mark.

#![no_main]

use std::io::{BufRead, Cursor, Read};

use fastlane_corpus::Source;
use libfuzzer_sys::fuzz_target;

const MOST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let source = || Source::from_reader(Cursor::new(bytes.to_vec()), "fuzz");
    let (Ok(whole), Ok(mut parts)) = (source(), source()) else { return };

    let mut at_once = Vec::new();
    let ended = whole.take(MOST).read_to_end(&mut at_once).is_ok();
    let mut piecewise = Vec::new();
    let ended_piecewise = loop {
        match parts.fill_buf().map(<[u8]>::to_vec) {
            Ok(chunk) if chunk.is_empty() || piecewise.len() as u64 >= MOST => break true,
            Ok(chunk) => {
                parts.consume(chunk.len());
                piecewise.extend(chunk);
            }
            Err(_) => break false,
        }
    };
    piecewise.truncate(MOST as usize);
    // Where damaged data is detected depends on the sizes of reads.
    let common = at_once.len().min(piecewise.len());
    assert_eq!(at_once[..common], piecewise[..common]);
    assert!(!(ended && ended_piecewise) || at_once.len() == piecewise.len());

    let packed = matches!(bytes, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
        || matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    if !packed {
        assert!(ended);
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        assert_eq!(at_once, &text[..text.len().min(MOST as usize)]);
    }
});
