//! What a search found, as everybody gets it: programs, `--json`, HTTP, agents, the page.

use std::io;
use std::ops::Range;
use std::time::Duration;

use fastlane_corpus::{Document, Metadata};
use serde::{Serialize, Serializer};

use crate::error::CollectionError;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Answer))]
pub struct SearchResult {
    /// The commit that was searched.
    pub generation: u64,
    /// What searched: `hard` for the best tokens, `soft` for one view of all, `all` for each.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub lane: LaneKind,
    /// The tokens of the query.
    pub tokens: Vec<QueryToken>,
    /// The places of the tokens that searched, best first; for the soft lane, of the one that weighs
    /// most in it.
    #[serde(skip)]
    pub lanes: Vec<usize>,
    /// Bytes at the end of the query that the model did not read.
    pub cut: usize,
    /// The documents, best first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<HitSchema<'static>>))]
    pub hits: Vec<Hit>,
    /// How long it took.
    #[serde(rename = "milliseconds")]
    #[cfg_attr(feature = "openapi", schema(value_type = Milliseconds))]
    pub times: Times,
}

/// What searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// The tokens that carry most of the intent.
    Hard,
    /// One view of all tokens.
    Soft,
    /// Every token.
    All,
}

impl LaneKind {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::All => "all",
        }
    }
}

/// A token of a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueryToken {
    /// As the vocabulary spells it.
    pub token: String,
    /// How much of the intent it carries.
    pub alpha: f32,
    /// Whether it searched.
    pub lane: bool,
    /// Its bytes in the query; none for tokens that the encoder added.
    #[serde(skip)]
    pub bytes: Option<Range<usize>>,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its place, from 1.
    pub rank: usize,
    /// How well it fits: comparable within one result only.
    pub score: f32,
    /// The document, as it was added.
    pub document: Document,
    /// The passage around the token that answers the lane.
    pub snippet: Vec<SnippetPiece>,
    /// Which token of it answers which token of the query, where tokens were compared.
    pub matches: Vec<Match>,
}

/// A document that was found.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AnswerHit))]
pub(crate) struct HitSchema<'a> {
    /// Its place, from 1.
    rank: usize,
    /// Its id.
    id: &'a str,
    /// How well it fits: comparable within one answer only.
    score: f32,
    /// Its title, empty if it has none.
    title: &'a str,
    /// Everything else that is known of it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    metadata: &'a Metadata,
    /// The passage around the token that answers the lane.
    snippet: &'a [SnippetPiece],
    /// Which token of it answers which token of the query.
    matches: &'a [Match],
}

impl Serialize for Hit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { rank, score, document, snippet, matches } = self;
        let Document { id, title, metadata, .. } = document;
        HitSchema { rank: *rank, id, score: *score, title, metadata, snippet, matches }
            .serialize(serializer)
    }
}

/// A part of a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AnswerMatch))]
pub struct Match {
    /// The place of the query's token.
    pub query: usize,
    /// The document's token.
    pub token: String,
    /// Its first byte, and the one after its last, in title, a blank and text.
    #[serde(serialize_with = "as_pair")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<[usize; 2]>))]
    pub bytes: Option<Range<usize>>,
    /// How well they fit.
    pub product: f32,
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn as_pair<S: Serializer>(bytes: &Option<Range<usize>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| [bytes.start, bytes.end]).serialize(serializer)
}

/// How long the stages of a search took. As JSON, in milliseconds, with their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Text became views.
    pub encode: Duration,
    /// The router said which token carries the intent.
    pub route: Duration,
    /// Lanes nominated documents.
    pub probe: Duration,
    /// Late interaction scored them.
    pub rerank: Duration,
    /// Words found theirs, and both were joined.
    pub words: Duration,
    /// Texts were fetched, and their tokens found.
    pub show: Duration,
}

/// How long the stages took.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct Milliseconds {
    /// Text became views.
    encode: f64,
    /// The router said which token carries the intent.
    route: f64,
    /// Lanes nominated documents.
    probe: f64,
    /// Late interaction scored them.
    rerank: f64,
    /// Words found theirs, and both were joined.
    words: f64,
    /// Texts were fetched, and their tokens found.
    show: f64,
    /// All of them.
    total: f64,
}

impl Times {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.encode + self.route + self.probe + self.rerank + self.words + self.show
    }
}

impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        Milliseconds {
            encode: milliseconds(self.encode),
            route: milliseconds(self.route),
            probe: milliseconds(self.probe),
            rerank: milliseconds(self.rerank),
            words: milliseconds(self.words),
            show: milliseconds(self.show),
            total: milliseconds(self.total()),
        }
        .serialize(serializer)
    }
}

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// The search could not be ended.
    #[error(transparent)]
    Search(#[from] CollectionError),
    /// The result could not be passed on.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}
