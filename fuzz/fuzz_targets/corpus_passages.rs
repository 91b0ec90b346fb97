//! Any text and settings: passages are in order, trimmed and within the limit; they cover the text,
//! and do not change when lines are added.
//!
//! The first two bytes are the settings, the third determines how much of the text is added later.

#![no_main]

use fastlane_corpus::{Document, Outline, PassageSettings, passages, words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [size, overlap, share, text @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(text);
    let (size, overlap) = (usize::from(*size), usize::from(*overlap));
    let settings = PassageSettings { size, overlap, whole: 0 };
    let found = passages(&markdown(&text), settings, &words);

    let mut covered = 0;
    for passage in &found {
        let range = passage.bytes.clone();
        let passage = &text[range.clone()];
        assert!(!passage.is_empty() && passage.trim() == passage);
        assert!(words(passage) <= size.max(1) + size / 4);
        assert!(range.start <= covered || text[covered..range.start].trim().is_empty());
        assert!(range.end > covered);
        covered = range.end;
    }
    assert!(found.is_sorted_by(|one, next| one.bytes.start < next.bytes.start));
    assert!(text[covered..].trim().is_empty());

    let middle = text.len() * usize::from(*share) / 256;
    let Some(cut) = text.as_bytes()[..middle].iter().rposition(|&byte| byte == b'\n') else {
        return;
    };
    // underlines may turn a paragraph that has been cut into a heading
    if text[cut..].lines().nth(1).is_some_and(|line| line.trim_matches(['=', '-', ' ']).is_empty())
    {
        return;
    }
    let before = passages(&markdown(&text[..=cut]), settings, &words);
    let kept = before.len().saturating_sub(1);
    assert_eq!(before[..kept], found[..kept]);
});

fn markdown(text: &str) -> Document {
    Document { text: text.into(), outline: Outline::markdown(text), ..Document::default() }
}
