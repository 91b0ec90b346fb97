//! Searches made by hand.

use std::ops::Range;
use std::time::Duration;

use fastlane::{Document, Hit, LaneKind, Match, QueryToken, SearchResult, Times};

use super::super::{Frame, PageParams, Results, results_fragment};

pub(super) const QUERY: &str = "ships off Dunmore?";

pub(super) fn params() -> PageParams {
    PageParams { q: QUERY.to_owned(), index: "lighthouse".to_owned(), ..PageParams::default() }
}

/// A query of seven tokens, the second of which is the lane.
pub(super) fn found(hits: Vec<Hit>) -> SearchResult {
    let tokens = [
        ("[CLS]", None, 0.05),
        ("ships", Some(0..5), 0.4),
        ("off", Some(6..9), 0.05),
        ("dun", Some(10..13), 0.25),
        ("##more", Some(13..17), 0.15),
        ("?", Some(17..18), 0.05),
        ("[SEP]", None, 0.05),
    ];
    let token = |(place, (text, bytes, alpha)): (usize, (&str, Option<Range<usize>>, f32))| {
        QueryToken { token: text.to_owned(), alpha, lane: place == 1, bytes }
    };
    let tokens = tokens.into_iter().enumerate().map(token).collect();
    let us = Duration::from_micros;
    let times = Times {
        encode: us(2400),
        route: us(110),
        probe: us(190),
        rerank: us(1640),
        words: us(0),
        show: us(300),
    };
    let (lane, lanes) = (LaneKind::Hard, vec![1]);
    SearchResult { generation: 1, lane, tokens, lanes, cut: 0, hits, times }
}

/// A document whose tokens are words, each of which answers a token of the query so well.
pub(super) fn hit(id: &str, title: &str, text: &str, pairs: &[(usize, &str, f32)]) -> Hit {
    let (id, title, text) = (id.to_owned(), title.to_owned(), text.to_owned());
    let document = Document { id, title, text, ..Document::default() };
    let whole = document.full_text().into_owned();
    let pair = |&(query, token, product): &(usize, &str, f32)| {
        let start = whole.find(token);
        let bytes = start.map(|start| start..start + token.len());
        Match { query, token: token.to_owned(), bytes, product }
    };
    let matches: Vec<Match> = pairs.iter().map(pair).collect();
    let score = matches.iter().map(|pair| pair.product).sum();
    Hit { rank: 1, score, document, matches, ..Hit::default() }
}

/// Two hits, with all pairs, as after a rerank.
pub(super) fn hits() -> Vec<Hit> {
    let storm = [
        (0, "[CLS]", 0.7),
        (1, "boat", 0.7),
        (2, "out", 0.5),
        (3, "gale", 0.2),
        (4, "gale", 0.2),
        (5, ".", 0.4),
        (6, "[SEP]", 0.6),
    ];
    let sound = [
        (0, "[CLS]", 0.8),
        (1, "ships", 0.9),
        (2, "off", 0.9),
        (3, "Dunmore", 0.8),
        (4, "Dunmore", 0.8),
        (5, ".", 0.5),
        (6, "[SEP]", 0.6),
    ];
    vec![
        hit("fog.md", "The fog signal", "It warns ships off Dunmore.", &sound),
        hit("storm.md", "", "Bring in the boat. In a gale nobody goes out.", &storm),
    ]
}

/// The inside of the page that a search gives.
pub(super) fn page(params: &PageParams, found: &SearchResult, has_router: bool) -> String {
    let indexes = ["lighthouse".to_owned(), "handbook".to_owned()];
    let frame = Frame { indexes: &indexes, params };
    results_fragment(&frame, &Results { found, documents: 1284, has_router })
}

/// The text of a page, without its tags.
pub(super) fn text(page: &str) -> String {
    let parts = page.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect()
}
