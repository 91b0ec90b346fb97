//! Tokenising by pieces against tokenising the whole text.

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn tokeniser() -> Tokeniser {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer.json");
    Tokeniser::open(&path, 1000).expect("the fixture is whole")
}

/// The reference: all tokens of the text, then the first of them.
fn whole(tokeniser: &Tokeniser, text: &str, room: usize) -> (Vec<Token>, usize) {
    let encoding = tokeniser.tokenizer.encode(text, false).expect("any text has tokens");
    let parts = encoding.get_ids().iter().zip(encoding.get_tokens()).zip(encoding.get_offsets());
    let token = |((&id, text), &(start, end)): ((&u32, &String), &(usize, usize))| Token {
        id,
        text: text.clone(),
        bytes: Some(start..end),
    };
    let mut tokens: Vec<Token> = parts.map(token).collect();
    let over = tokens.len() > room;
    tokens.truncate(room);
    let end = tokens.last().and_then(|t| t.bytes.clone()).map_or(0, |bytes| bytes.end);
    (tokens, if over { text.len() - end } else { 0 })
}

fn by_pieces(tokeniser: &Tokeniser, text: &str, room: usize, size: usize) -> (Vec<Token>, usize) {
    Content::new(tokeniser, text).with_pieces(size).first(room).expect("any text has tokens")
}

/// Words and other strings that could break reading by pieces.
fn bit() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,6}",
        3 => "[ \t\n\u{a0}\u{3000}]{1,12}",
        2 => "[.,!?'-]{1,4}",
        2 => "[東京é😀ßЖ٣]{1,6}",
        1 => "[\u{0}\u{301}\u{200d}\u{fffd}]{1,9}",
        1 => "[ab]{90,240}",
        1 => "[é]{90,120}",
        2 => prop::sample::select(vec!["[Q] ", "[MASK]", "[SEP]", "[q] ", "[Q]", "[MA"])
            .prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(bit(), 0..24).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn pieces_give_the_tokens_of_the_whole_text(
        text in text(), room in 0_usize..80, size in 1_usize..90,
    ) {
        let tokeniser = tokeniser_once();
        let (found, cut) = by_pieces(tokeniser, &text, room, size);
        let (wanted, wanted_cut) = whole(tokeniser, &text, room);
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(cut, wanted_cut);
    }

    #[test]
    fn bytes_lie_on_boundaries_and_rise(text in text(), room in 0_usize..80) {
        let tokeniser = tokeniser_once();
        let (tokens, cut) = by_pieces(tokeniser, &text, room, 64);
        let mut before = 0;
        for bytes in tokens.into_iter().filter_map(|token| token.bytes) {
            prop_assert!(text.get(bytes.clone()).is_some());
            prop_assert!(before <= bytes.start);
            before = bytes.start;
        }
        prop_assert!(text.is_char_boundary(text.len() - cut));
    }
}

fn tokeniser_once() -> &'static Tokeniser {
    static ONE: std::sync::LazyLock<Tokeniser> = std::sync::LazyLock::new(tokeniser);
    &ONE
}

#[test]
fn a_piece_never_ends_within_an_added_token() {
    // the only white space is within a token, or what looks like one
    for text in ["[q] [Q]??![Q] ", "[Q] [Q] [Q] a", "ab[q] [q] [MASK][MASK]x"] {
        for (room, size) in (0..12).flat_map(|room| (1..16).map(move |size| (room, size))) {
            let tokeniser = tokeniser_once();
            let found = by_pieces(tokeniser, text, room, size);
            assert_eq!(found, whole(tokeniser, text, room), "{text} {room} {size}");
        }
    }
}

#[test]
fn a_word_of_marks_ends_where_reading_stops() {
    // beyond the largest piece the word counts as two
    let text = format!("a{}b", "\u{301}".repeat(pieces::LARGEST));
    let (tokens, cut) = by_pieces(tokeniser_once(), &text, 10, 64);
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!((words, cut), (vec!["a", "b"], 0));
}
