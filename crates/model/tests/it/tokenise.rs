//! Tokens of queries and documents, with prefixes, prompts and padding.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastlane_model::checkpoint::{Expansion, InputSettings, Tokeniser, Tokens};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer.json")
}

fn tokeniser() -> Tokeniser {
    Tokeniser::open(&fixture(), 72).unwrap()
}

fn side(length: usize) -> InputSettings {
    InputSettings { length, ..InputSettings::default() }
}

fn encode(text: &str, side: &InputSettings) -> Tokens {
    tokeniser().encode(text, side).unwrap()
}

fn words(tokens: &Tokens) -> Vec<&str> {
    tokens.tokens.iter().map(|token| token.text.as_str()).collect()
}

/// The parts of the text that the tokens represent; `None` for added tokens.
fn parts<'a>(tokens: &Tokens, text: &'a str) -> Vec<Option<&'a str>> {
    tokens.tokens.iter().map(|t| t.bytes.clone().map(|bytes| &text[bytes])).collect()
}

#[test]
fn special_tokens_surround_a_text() {
    let text = "What is a Lighthouse?";
    let found = encode(text, &side(20));
    assert_eq!(words(&found), ["[CLS]", "what", "is", "a", "light", "##house", "?", "[SEP]"]);
    let none = None;
    let wanted =
        [none, Some("What"), Some("is"), Some("a"), Some("Light"), Some("house"), Some("?"), none];
    assert_eq!(parts(&found, text), wanted);
    assert_eq!((found.cut, found.attended, found.kept), (0, vec![true; 8], vec![true; 8]));
}

#[test]
fn an_empty_text_gives_the_special_tokens() {
    for text in ["", " ", "\n\t  \u{3000}", "\0"] {
        let found = encode(text, &side(20));
        assert_eq!((words(&found), found.cut), (vec!["[CLS]", "[SEP]"], 0));
    }
}

#[test]
fn the_padding_and_truncation_of_the_file_are_not_used() {
    // truncation to 8 and padding to 8 in the file have no effect
    assert_eq!(encode("a", &side(20)).tokens.len(), 3);
    assert_eq!(encode("a a a a a a a a a a", &side(20)).tokens.len(), 12);
}

#[test]
fn the_prefix_comes_after_the_first_token() {
    let prefix = tokeniser().id("[Q] ");
    assert!(prefix.is_some());
    let found = encode("the ship", &InputSettings { prefix, ..side(20) });
    assert_eq!(words(&found), ["[CLS]", "[Q] ", "the", "ship", "[SEP]"]);
    assert_eq!(found.tokens[1].bytes, None);
}

#[test]
fn a_prompt_is_read_with_the_text_and_has_no_bytes_in_it() {
    let found = encode("the ship", &InputSettings { prompt: "what of: ".to_owned(), ..side(20) });
    assert_eq!(words(&found), ["[CLS]", "what", "of", "[UNK]", "the", "ship", "[SEP]"]);
    let wanted = [None, None, None, None, Some("the"), Some("ship"), None];
    assert_eq!(parts(&found, "the ship"), wanted);
}

#[test]
fn a_prompt_that_is_a_token_stays_whole() {
    let found = encode("ship", &InputSettings { prompt: "[Q] ".to_owned(), ..side(20) });
    assert_eq!(words(&found), ["[CLS]", "[Q] ", "ship", "[SEP]"]);
}

#[test]
fn a_long_text_is_cut_and_the_rest_is_counted() {
    let text = "the ship is on the light";
    let prefix = tokeniser().id("[D] ");
    let found = encode(text, &InputSettings { prefix, ..side(6) });
    assert_eq!(words(&found), ["[CLS]", "[D] ", "the", "ship", "is", "[SEP]"]);
    assert_eq!(found.cut, " on the light".len());
}

#[test]
fn a_text_that_just_fits_is_not_cut() {
    let found = encode("the ship   ", &side(4));
    assert_eq!((words(&found), found.cut), (vec!["[CLS]", "the", "ship", "[SEP]"], 0));
}

#[test]
fn a_side_without_room_gives_no_token_of_the_text() {
    let found = encode("the ship", &side(2));
    assert_eq!((words(&found), found.cut), (vec!["[CLS]", "[SEP]"], 8));
}

#[test]
fn expansion_fills_up_short_queries() {
    let token = tokeniser().id("[MASK]").unwrap();
    for attended in [false, true] {
        let expansion = Some(Expansion { token, length: 6, attended });
        let found = encode("ship", &InputSettings { expansion, ..side(6) });
        assert_eq!(words(&found), ["[CLS]", "ship", "[SEP]", "[MASK]", "[MASK]", "[MASK]"]);
        assert_eq!(found.attended, [true, true, true, attended, attended, attended]);
        assert_eq!(found.kept, [true; 6]);
    }
}

#[test]
fn expansion_leaves_long_queries_alone() {
    let token = tokeniser().id("[MASK]").unwrap();
    let expansion = Some(Expansion { token, length: 4, attended: true });
    let found = encode("the ship is on", &InputSettings { expansion, ..side(10) });
    assert_eq!(words(&found), ["[CLS]", "the", "ship", "is", "on", "[SEP]"]);
}

#[test]
fn skipped_tokens_are_seen_but_not_kept() {
    let tokeniser = tokeniser();
    let skip: HashSet<u32> = [".", ","].iter().map(|word| tokeniser.id(word).unwrap()).collect();
    let found = tokeniser.encode("ship, light.", &InputSettings { skip, ..side(20) }).unwrap();
    assert_eq!(words(&found), ["[CLS]", "ship", ",", "light", ".", "[SEP]"]);
    assert_eq!(found.kept, [true, true, false, true, false, true]);
    assert_eq!(found.attended, [true; 6]);
}

#[test]
fn any_character_has_bytes_of_the_original_text() {
    let text = "E\u{301}\0 東京😀é";
    let found = encode(text, &side(20));
    assert_eq!(words(&found), ["[CLS]", "e", "東", "京", "[UNK]", "[SEP]"]);
    let texts = parts(&found, text);
    assert_eq!(texts[2..5], [Some("東"), Some("京"), Some("😀é")]);
    assert!(texts[1].unwrap().starts_with('E'));
}

/// Ten megabytes of `unit`.
fn ten_megabytes(unit: &str) -> String {
    unit.repeat(10_000_000 / unit.len())
}

#[test]
fn the_end_of_ten_megabytes_costs_nothing() {
    let tokeniser = tokeniser();
    for unit in ["ship ", "ab ", "a.", "東", "?", "ship\n\n\n", " ", "a"] {
        let text = ten_megabytes(unit);
        let start = Instant::now();
        let found = tokeniser.encode(&text, &side(512)).unwrap();
        // a debug build, on a busy machine: tokenising all of it takes minutes
        assert!(start.elapsed() < Duration::from_secs(5), "{unit:?} took {:?}", start.elapsed());
        let words = found.tokens.len();
        match unit {
            " " => assert_eq!((words, found.cut), (2, 0)),
            "a" => assert_eq!((words, found.cut), (3, 0)),
            _ => {
                assert_eq!(words, 512);
                assert_eq!(found.cut, text.len() - found.tokens[510].bytes.clone().unwrap().end);
            }
        }
    }
}

#[test]
fn the_same_text_gives_the_same_tokens() {
    let text = "what is the light of the lighthouse? ".repeat(50);
    let first = encode(&text, &side(100));
    assert!((0..5).all(|_| encode(&text, &side(100)) == first));
}
