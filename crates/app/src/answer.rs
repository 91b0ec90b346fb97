//! An answer as everybody gets it who does not read a terminal: `--json`, HTTP, agents.

use std::time::Duration;

use fastlane::{Found, Hit, Metadata, snippet};
use fastlane_engine::UsualLane;
use serde::Serialize;

/// What a search found.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// The commit that was searched.
    pub(crate) generation: u64,
    /// What searched: `hard` for the best tokens, `soft` for one view of all, `all` for each.
    pub(crate) lane: &'static str,
    /// The tokens of the query.
    pub(crate) tokens: Vec<QueryToken>,
    /// Bytes at the end of the query that the model did not read.
    pub(crate) cut: usize,
    /// The documents, best first.
    pub(crate) hits: Vec<AnswerHit>,
    /// How long it took.
    pub(crate) milliseconds: Milliseconds,
}

/// A token of a query.
#[derive(Debug, Serialize)]
pub(crate) struct QueryToken {
    /// As the vocabulary spells it.
    pub(crate) token: String,
    /// How much of the intent it carries.
    pub(crate) alpha: f32,
    /// Whether it searched.
    pub(crate) lane: bool,
}

/// A document that was found.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerHit {
    pub(crate) rank: usize,
    pub(crate) id: String,
    /// How well it fits: comparable within one answer only.
    pub(crate) score: f32,
    pub(crate) title: String,
    pub(crate) metadata: Metadata,
    /// The passage around the token that answers the lane.
    pub(crate) snippet: Vec<SnippetPiece>,
    /// Which token of it answers which token of the query.
    pub(crate) matches: Vec<AnswerMatch>,
}

/// A part of a passage.
#[derive(Debug, Serialize)]
pub(crate) struct SnippetPiece {
    pub(crate) text: String,
    /// The token of the query that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers: Option<usize>,
    /// Whether it answers the lane.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) won: bool,
}

/// A token of a document and the token of the query that it answers.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerMatch {
    /// The place of the query's token.
    pub(crate) query: usize,
    /// The document's token.
    pub(crate) token: String,
    /// Its first byte, and the one after its last, in title, a blank and text.
    pub(crate) bytes: Option<[usize; 2]>,
    /// How well they fit.
    pub(crate) product: f32,
}

/// How long the stages took.
#[derive(Debug, Serialize)]
pub(crate) struct Milliseconds {
    pub(crate) encode: f64,
    pub(crate) route: f64,
    pub(crate) probe: f64,
    pub(crate) rerank: f64,
    pub(crate) words: f64,
    pub(crate) show: f64,
    pub(crate) total: f64,
}

impl Answer {
    pub(crate) fn new(found: &Found, asked: Option<usize>) -> Self {
        let query = &found.query;
        let token = |(place, (token, &alpha)): (usize, (&fastlane::Token, &f32))| QueryToken {
            token: token.text.clone(),
            alpha,
            lane: found.lanes.contains(&place),
        };
        let tokens = query.tokens.iter().zip(&query.alpha).enumerate().map(token).collect();
        let lane = match (asked, query.usual) {
            (None, UsualLane::Soft) => "soft",
            (None, UsualLane::All) => "all",
            _ => "hard",
        };
        let first = found.lanes.first().copied();
        let hits =
            found.hits.iter().enumerate().map(|(at, hit)| AnswerHit::new(at + 1, hit, first));
        Self {
            generation: found.generation,
            lane,
            tokens,
            cut: query.cut,
            hits: hits.collect(),
            milliseconds: Milliseconds::of(found),
        }
    }
}

impl AnswerHit {
    fn new(rank: usize, hit: &Hit, lane: Option<usize>) -> Self {
        let (pieces, [before, after]) = snippet(hit, lane);
        let piece = |piece: fastlane::Piece| SnippetPiece {
            text: piece.text,
            answers: piece.query,
            won: piece.won,
        };
        let mut snippet: Vec<SnippetPiece> = pieces.into_iter().map(piece).collect();
        let dots = || SnippetPiece { text: "…".to_owned(), answers: None, won: false };
        if before {
            snippet.insert(0, dots());
        }
        if after {
            snippet.push(dots());
        }
        let shown = |it: &fastlane::Match| AnswerMatch {
            query: it.query,
            token: it.token.clone(),
            bytes: it.bytes.as_ref().map(|bytes| [bytes.start, bytes.end]),
            product: it.product,
        };
        Self {
            rank,
            id: hit.document.id.clone(),
            score: hit.score,
            title: hit.document.title.clone(),
            metadata: hit.document.metadata.clone(),
            snippet,
            matches: hit.matches.iter().map(shown).collect(),
        }
    }
}

impl Milliseconds {
    fn of(found: &Found) -> Self {
        let times = &found.times;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        Self {
            encode: milliseconds(times.encode),
            route: milliseconds(times.route),
            probe: milliseconds(times.probe),
            rerank: milliseconds(times.rerank),
            words: milliseconds(times.words),
            show: milliseconds(times.show),
            total: milliseconds(times.total()),
        }
    }
}
