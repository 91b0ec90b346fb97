//! Any text and settings: passages are in order, trimmed and within the limit; they cover the text,
//! and do not change when lines are added.
//!
//! The first two bytes are the settings, the third determines how much of the text is added later.

#![no_main]

use fastlane_corpus::{PassageSettings, passages, words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [size, overlap, share, text @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(text);
    let settings = PassageSettings { words: usize::from(*size), overlap: usize::from(*overlap) };
    let found = passages(&text, settings);

    let mut covered = 0;
    for range in &found {
        let passage = &text[range.clone()];
        assert!(!passage.is_empty() && passage.trim() == passage);
        assert!(words(passage) <= settings.words.max(1) + settings.words / 4);
        assert!(range.start <= covered || text[covered..range.start].trim().is_empty());
        assert!(range.end > covered);
        covered = range.end;
    }
    assert!(found.is_sorted_by(|one, next| one.start < next.start));
    assert!(text[covered..].trim().is_empty());

    let middle = text.len() * usize::from(*share) / 256;
    let Some(cut) = text.as_bytes()[..middle].iter().rposition(|&byte| byte == b'\n') else {
        return;
    };
    let before = passages(&text[..=cut], settings);
    let kept = before.len().saturating_sub(1);
    assert_eq!(before[..kept], found[..kept]);
});
