//! What people see of a hit: its text, and the tokens that made it one.

use std::ops::Range;
use std::sync::Arc;

use fastlane_model::Model;

use super::{Candidate, Hit, Match};
use crate::error::CollectionError;
use crate::snapshot::Snapshot;

/// Bytes of a snippet, about.
const SNIPPET: usize = 280;

/// Fetches texts, and finds the tokens that views stand for.
pub(super) struct Shower<'a> {
    pub(super) snapshot: Arc<Snapshot>,
    /// What tells the tokens of a text, where views stand for tokens.
    model: Option<&'a Model>,
}

impl<'a> Shower<'a> {
    pub(super) fn new(model: Option<&'a Model>, snapshot: Arc<Snapshot>, reranked: bool) -> Self {
        // lane views that are learned stand for no token
        let tokens = reranked || snapshot.reader.settings().token_dim.is_none();
        Self { snapshot, model: model.filter(|_| tokens) }
    }

    /// A document as people see it; `None` where it has no text.
    pub(super) fn hit(&self, candidate: Candidate) -> Result<Option<Hit>, CollectionError> {
        let Candidate { id, score, pairs } = candidate;
        let Some(document) = self.snapshot.words(|words| words.get(&id))? else { return Ok(None) };
        let spelled = match self.model {
            Some(model) => model.document_tokens(&document.full_text())?,
            None => Vec::new(),
        };
        let shown = |pair: &fastlane_engine::Pair| {
            let token = spelled.get(pair.view)?;
            let (query, product) = (pair.query, pair.product);
            Some(Match { query, token: token.text.clone(), bytes: token.bytes.clone(), product })
        };
        let matches = pairs.iter().filter_map(shown).collect();
        Ok(Some(Hit { score, document, matches }))
    }
}

/// A part of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its text.
    pub text: String,
    /// The token of the query that it answers, the best one if there are several.
    pub query: Option<usize>,
    /// Whether the passage is shown for it: it answers the lane, or is the best match.
    pub won: bool,
}

/// The passage around the token that answers the lane, or else around the best match, in pieces, and
/// whether text was left out before and after it.
pub fn snippet(hit: &Hit, lane: Option<usize>) -> (Vec<Piece>, [bool; 2]) {
    let text = hit.document.full_text();
    let placed = || hit.matches.iter().filter(|it| it.bytes.is_some());
    let best = || placed().max_by(|a, b| a.product.total_cmp(&b.product));
    let centre = placed().find(|it| Some(it.query) == lane).or_else(best);
    let place = centre.and_then(|it| it.bytes.clone());
    let shown = around(&text, &place.clone().unwrap_or(0..0));
    let left_out = [shown.start > 0, shown.end < text.trim_end().len()];
    let mut marks: Vec<(&Range<usize>, &Match)> =
        hit.matches.iter().filter_map(|it| Some((it.bytes.as_ref()?, it))).collect();
    // of those that mean the same token the best comes first, and the others overlap it
    marks.sort_by(|a, b| a.0.start.cmp(&b.0.start).then(b.1.product.total_cmp(&a.1.product)));
    let (mut pieces, mut at) = (Vec::new(), shown.start);
    let plain =
        |range: Range<usize>| Piece { text: text[range].to_owned(), query: None, won: false };
    for (bytes, mark) in marks {
        if bytes.start < at || bytes.end > shown.end || bytes.is_empty() {
            continue;
        }
        if bytes.start > at {
            pieces.push(plain(at..bytes.start));
        }
        let won = place.as_ref() == Some(bytes);
        let query = centre.filter(|_| won).unwrap_or(mark).query;
        pieces.push(Piece { text: text[bytes.clone()].to_owned(), query: Some(query), won });
        at = bytes.end;
    }
    if at < shown.end {
        pieces.push(plain(at..shown.end));
    }
    (pieces, left_out)
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
    use fastlane_corpus::Document;
    use proptest::prelude::*;

    use super::*;

    fn hit(text: &str, matches: &[(usize, Range<usize>, f32)]) -> Hit {
        let document = Document { text: text.to_owned(), ..Document::default() };
        let one = |(query, bytes, product): &(usize, Range<usize>, f32)| Match {
            query: *query,
            token: text[bytes.clone()].to_owned(),
            bytes: Some(bytes.clone()),
            product: *product,
        };
        Hit { score: 1.0, document, matches: matches.iter().map(one).collect() }
    }

    #[test]
    fn a_short_text_is_shown_whole_with_its_marks() {
        let hit = hit("the old keeper", &[(1, 0..3, 0.2), (2, 8..14, 0.9), (3, 8..14, 0.8)]);
        let (pieces, left_out) = snippet(&hit, Some(3));
        let piece = |text: &str, query, won| Piece { text: text.to_owned(), query, won };
        let wanted = [
            piece("the", Some(1), false),
            piece(" old ", None, false),
            piece("keeper", Some(3), true),
        ];
        assert_eq!(pieces, wanted);
        assert_eq!(left_out, [false, false]);
    }

    #[test]
    fn where_no_token_searched_the_best_match_is_shown() {
        let hit = hit("the old keeper", &[(1, 0..3, 0.2), (2, 4..7, 0.9)]);
        let (pieces, _) = snippet(&hit, None);
        let won: Vec<_> =
            pieces.iter().filter(|it| it.won).map(|it| (&*it.text, it.query)).collect();
        assert_eq!(won, [("old", Some(2))]);
    }

    #[test]
    fn a_text_without_matches_is_shown_from_its_start() {
        let long = "word ".repeat(200);
        let (pieces, left_out) = snippet(&hit(&long, &[]), None);
        let [Piece { text, query: None, won: false }] = &pieces[..] else { panic!("{pieces:?}") };
        assert!(
            text.len() > SNIPPET / 2 && text.len() <= SNIPPET && text.ends_with("word"),
            "{text}"
        );
        assert_eq!(left_out, [false, true]);
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
            let (pieces, _) = snippet(&hit(&text, &[(0, start..end, 0.5)]), Some(0));
            let won: Vec<&Piece> = pieces.iter().filter(|piece| piece.won).collect();
            prop_assert_eq!(won.len(), 1);
            prop_assert_eq!(&won[0].text, &text[start..end]);
            let all: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            prop_assert!(text.contains(&all) && all.len() <= SNIPPET + 40, "{} bytes", all.len());
        }
    }
}
