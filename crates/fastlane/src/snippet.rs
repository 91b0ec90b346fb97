//! The passage of a document that is shown for a query.

use std::ops::Range;

use crate::result::{Match, SnippetPiece};

/// Approximate bytes of a snippet.
const SNIPPET: usize = 280;

/// The passage around the token that matches the lane, or else around the best match, in pieces,
/// with dots for omitted text.
pub(crate) fn snippet(text: &str, matches: &[Match], lane: Option<usize>) -> Vec<SnippetPiece> {
    let placed = || matches.iter().filter(|it| it.bytes.is_some());
    let best = || placed().max_by(|a, b| a.product.total_cmp(&b.product));
    let centre = placed().find(|it| Some(it.query) == lane).or_else(best);
    let place = centre.and_then(|it| it.bytes.clone()).map(|bytes| whole(text, bytes));
    let shown = window(text, 0..text.len(), place.clone().unwrap_or(0..0));
    let mark = |it| -> Option<(Range<usize>, &Match)> {
        let it: &Match = it;
        Some((whole(text, it.bytes.clone()?), it))
    };
    let mut marks: Vec<_> = matches.iter().filter_map(mark).collect();
    // of those that mean the same token the best comes first, and the others overlap it
    marks.sort_by(|a, b| a.0.start.cmp(&b.0.start).then(b.1.product.total_cmp(&a.1.product)));
    let (mut pieces, mut at) = (Vec::new(), shown.start);
    let plain = |text: &str| SnippetPiece { text: text.to_owned(), answers: None, won: false };
    if shown.start > 0 {
        pieces.push(plain("…"));
    }
    for (bytes, mark) in marks {
        if bytes.start < at || bytes.end > shown.end || bytes.is_empty() {
            continue;
        }
        if bytes.start > at {
            pieces.push(plain(&text[at..bytes.start]));
        }
        let won = place.as_ref() == Some(&bytes);
        let answers = Some(centre.filter(|_| won).unwrap_or(mark).query);
        pieces.push(SnippetPiece { text: text[bytes.clone()].to_owned(), answers, won });
        at = bytes.end;
    }
    if at < shown.end {
        pieces.push(plain(&text[at..shown.end]));
    }
    if shown.end < text.trim_end().len() {
        pieces.push(plain("…"));
    }
    pieces
}

/// Whole words around a place, within a part of a text: what is shown of a passage.
///
/// Ranges of bytes that cut a character take all of it.
pub fn window(text: &str, part: Range<usize>, place: Range<usize>) -> Range<usize> {
    let (part, place) = (whole(text, part), whole(text, place));
    let start = place.start.clamp(part.start, part.end);
    let place = start - part.start..place.end.clamp(start, part.end) - part.start;
    let found = around(&text[part.clone()], &place);
    found.start + part.start..found.end + part.start
}

/// The same bytes, or a few more, so that no character is cut: some tokenisers cut them.
fn whole(text: &str, bytes: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(bytes.start)..text.ceil_char_boundary(bytes.end)
}

/// Whole words around some bytes.
fn around(text: &str, centre: &Range<usize>) -> Range<usize> {
    let room = SNIPPET.saturating_sub(centre.len()) / 2;
    let mut start = centre.start.saturating_sub(room);
    // at the start of a text there is more room behind
    let mut end = (centre.end + room + room.saturating_sub(centre.start)).min(text.len());
    start = start.min(text.len().saturating_sub(SNIPPET)).min(centre.start);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if start > 0
        && let Some(blank) = text[start..centre.start].find(char::is_whitespace)
    {
        start += blank + text[start + blank..].chars().next().map_or(0, char::len_utf8);
    }
    if end < text.len()
        && let Some(blank) = text[centre.end..end].rfind(char::is_whitespace)
    {
        end = centre.end + blank;
    }
    start..end.min(text.trim_end().len()).max(centre.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(text: &str, matches: &[(usize, Range<usize>, f32)]) -> Vec<Match> {
        let one = |(query, bytes, product): &(usize, Range<usize>, f32)| Match {
            query: *query,
            token: text[bytes.clone()].to_owned(),
            bytes: Some(bytes.clone()),
            product: *product,
        };
        matches.iter().map(one).collect()
    }

    #[test]
    fn a_short_text_is_shown_whole_with_its_marks() {
        let text = "the old keeper";
        let matches = matches(text, &[(1, 0..3, 0.2), (2, 8..14, 0.9), (3, 8..14, 0.8)]);
        let pieces = snippet(text, &matches, Some(3));
        let piece = |text: &str, answers, won| SnippetPiece { text: text.to_owned(), answers, won };
        let wanted = [
            piece("the", Some(1), false),
            piece(" old ", None, false),
            piece("keeper", Some(3), true),
        ];
        assert_eq!(pieces, wanted);
    }

    #[test]
    fn where_no_token_searched_the_best_match_is_shown() {
        let text = "the old keeper";
        let matches = matches(text, &[(1, 0..3, 0.2), (2, 4..7, 0.9)]);
        let pieces = snippet(text, &matches, None);
        let won: Vec<_> =
            pieces.iter().filter(|it| it.won).map(|it| (&*it.text, it.answers)).collect();
        assert_eq!(won, [("old", Some(2))]);
    }

    #[test]
    fn a_text_without_matches_is_shown_from_its_start() {
        let long = "word ".repeat(200);
        let pieces = snippet(&long, &[], None);
        let [SnippetPiece { text, answers: None, won: false }, dots] = &pieces[..] else {
            panic!("{pieces:?}")
        };
        assert!(
            text.len() > SNIPPET / 2 && text.len() <= SNIPPET && text.ends_with("word"),
            "{text}"
        );
        assert_eq!(dots.text, "…");
    }

    proptest! {
        #[test]
        fn the_winner_is_always_shown(text in "[a-zß ]{1,900}", at in 0..900_usize, long in 1..20_usize) {
            let mut start = at % text.len();
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + long).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let pieces = snippet(&text, &matches(&text, &[(0, start..end, 0.5)]), Some(0));
            let won: Vec<&SnippetPiece> = pieces.iter().filter(|piece| piece.won).collect();
            prop_assert_eq!(won.len(), 1);
            prop_assert_eq!(&won[0].text, &text[start..end]);
            let all: String = pieces.iter().map(|piece| piece.text.trim_matches('…')).collect();
            prop_assert!(text.contains(&all) && all.len() <= SNIPPET + 40, "{} bytes", all.len());
        }

        #[test]
        fn a_window_holds_its_place_and_lies_in_its_part(
            text in "[a-zß語 ]{1,900}",
            part in 0..900_usize,
            at in 0..900_usize,
            long in 0..9_usize,
        ) {
            let part = text.floor_char_boundary(part % text.len())..text.len();
            // ranges that cut characters, too
            let start = (part.start + at).min(text.len());
            let place = start..(start + long).min(text.len());
            let found = window(&text, part.clone(), place.clone());
            prop_assert!(text.get(found.clone()).is_some());
            prop_assert!(part.start <= found.start && found.end <= part.end);
            prop_assert!(found.start <= place.start && place.end <= found.end);
        }
    }
}
