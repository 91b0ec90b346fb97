//! An answer as everybody gets it who does not read a terminal: `--json`, HTTP, agents.

use std::io::{self, Write};
use std::time::Duration;

use fastlane_corpus::Metadata;
use fastlane_engine::{QueryViews, Token, UsualLane};
use serde::Serialize;

use crate::error::CollectionError;
use crate::search::{Found, Hit, Match, Piece, Results, Times, snippet};

/// What a search found.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// The commit that was searched.
    pub generation: u64,
    /// What searched: `hard` for the best tokens, `soft` for one view of all, `all` for each.
    pub lane: &'static str,
    /// The tokens of the query.
    pub tokens: Vec<QueryToken>,
    /// Bytes at the end of the query that the model did not read.
    pub cut: usize,
    /// The documents, best first.
    pub hits: Vec<AnswerHit>,
    /// How long it took.
    pub milliseconds: Milliseconds,
}

/// A token of a query.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueryToken {
    /// As the vocabulary spells it.
    pub token: String,
    /// How much of the intent it carries.
    pub alpha: f32,
    /// Whether it searched.
    pub lane: bool,
}

/// A document that was found.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerHit {
    /// Its place, from 1.
    pub rank: usize,
    /// Its id.
    pub id: String,
    /// How well it fits: comparable within one answer only.
    pub score: f32,
    /// Its title, empty if it has none.
    pub title: String,
    /// Everything else that is known of it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Metadata,
    /// The passage around the token that answers the lane.
    pub snippet: Vec<SnippetPiece>,
    /// Which token of it answers which token of the query.
    pub matches: Vec<AnswerMatch>,
}

/// A part of a passage.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnippetPiece {
    /// Its text.
    pub text: String,
    /// The token of the query that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// Whether the passage is shown for it: it answers the lane, or is the best match where no token searched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub won: bool,
}

/// A token of a document and the token of the query that it answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerMatch {
    /// The place of the query's token.
    pub query: usize,
    /// The document's token.
    pub token: String,
    /// Its first byte, and the one after its last, in title, a blank and text.
    pub bytes: Option<[usize; 2]>,
    /// How well they fit.
    pub product: f32,
}

/// How long the stages took.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Milliseconds {
    /// Text became views.
    pub encode: f64,
    /// The router said which token carries the intent.
    pub route: f64,
    /// Lanes nominated documents.
    pub probe: f64,
    /// Late interaction scored them.
    pub rerank: f64,
    /// Words found theirs, and both were joined.
    pub words: f64,
    /// Texts were fetched, and their tokens found.
    pub show: f64,
    /// All of them.
    pub total: f64,
}

impl Answer {
    /// Tells what was found; `asked` is the number of lanes that was asked for, if any was.
    pub fn new(found: &Found, asked: Option<usize>) -> Self {
        let query = &found.query;
        let Head { lane, tokens, first } = Head::new(query, &found.lanes, asked);
        let hits =
            found.hits.iter().enumerate().map(|(at, hit)| AnswerHit::new(at + 1, hit, first));
        Self {
            generation: found.generation,
            lane,
            tokens,
            cut: query.cut,
            hits: hits.collect(),
            milliseconds: Milliseconds::of(&found.times),
        }
    }

    /// Writes the same as JSON while documents are fetched, one at a time.
    ///
    /// # Errors
    ///
    /// A document cannot be read, the search was stopped, or `out` takes no more.
    pub fn write(
        results: &mut Results<'_>,
        asked: Option<usize>,
        out: &mut dyn Write,
    ) -> Result<(), AnswerError> {
        let Head { lane, tokens, first } = Head::new(results.query(), results.lanes(), asked);
        write!(out, "{{\"generation\":{},\"lane\":\"{lane}\",\"tokens\":", results.generation())?;
        json(out, &tokens)?;
        write!(out, ",\"cut\":{},\"hits\":[", results.query().cut)?;
        let mut rank = 0;
        for hit in results.by_ref() {
            if rank > 0 {
                out.write_all(b",")?;
            }
            rank += 1;
            json(out, &AnswerHit::new(rank, &hit?, first))?;
        }
        out.write_all(b"],\"milliseconds\":")?;
        json(out, &Milliseconds::of(&results.times()))?;
        Ok(out.write_all(b"}")?)
    }
}

/// Why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The search could not be ended.
    #[error(transparent)]
    Search(#[from] CollectionError),
    /// The answer could not be passed on.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}

fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

/// What an answer says of its query.
struct Head {
    lane: &'static str,
    tokens: Vec<QueryToken>,
    /// The token that searched, the best one if there are several.
    first: Option<usize>,
}

impl Head {
    fn new(query: &QueryViews, lanes: &[usize], asked: Option<usize>) -> Self {
        let (lane, searched) = match (asked, query.usual) {
            // a view of all tokens searched, and none of them
            (None, UsualLane::Soft) => ("soft", &[][..]),
            (None, UsualLane::All) => ("all", lanes),
            _ => ("hard", lanes),
        };
        let token = |(place, (token, &alpha)): (usize, (&Token, &f32))| QueryToken {
            token: token.text.clone(),
            alpha,
            lane: searched.contains(&place),
        };
        let tokens = query.tokens.iter().zip(&query.alpha).enumerate().map(token).collect();
        Self { lane, tokens, first: searched.first().copied() }
    }
}

impl AnswerHit {
    fn new(rank: usize, hit: &Hit, lane: Option<usize>) -> Self {
        let (pieces, [before, after]) = snippet(hit, lane);
        let piece =
            |piece: Piece| SnippetPiece { text: piece.text, answers: piece.query, won: piece.won };
        let mut snippet: Vec<SnippetPiece> = pieces.into_iter().map(piece).collect();
        let dots = || SnippetPiece { text: "…".to_owned(), answers: None, won: false };
        if before {
            snippet.insert(0, dots());
        }
        if after {
            snippet.push(dots());
        }
        let shown = |it: &Match| AnswerMatch {
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
    fn of(times: &Times) -> Self {
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
