//! The result of a search, for programs, `--json`, HTTP, agents and the page.

use std::io;
use std::ops::Range;
use std::time::Duration;

use fastlane_corpus::{Document, Metadata};
use serde::{Serialize, Serializer};

use crate::error::CollectionError;
use crate::record::Passage;

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Answer))]
pub struct SearchResult {
    /// The commit that was searched.
    pub generation: u64,
    /// Which views searched: some tokens (`hard`), one view of all (`soft`), all tokens (`all`).
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub lane: LaneKind,
    /// The tokens of the query.
    pub tokens: Vec<QueryToken>,
    /// The places of the tokens that searched, best first; for the soft lane, of the one that weighs
    /// most in it.
    #[serde(skip)]
    pub lanes: Vec<usize>,
    /// Bytes at the end of the query that were cut because the query is too long.
    pub cut: usize,
    /// The documents, best first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<HitSchema<'static>>))]
    pub hits: Vec<Hit>,
    /// The time of each stage.
    #[serde(rename = "milliseconds")]
    #[cfg_attr(feature = "openapi", schema(value_type = Milliseconds))]
    pub times: Times,
}

/// Which views searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// The tokens with the largest alpha.
    Hard,
    /// One view of all tokens.
    Soft,
    /// Every token.
    All,
}

impl LaneKind {
    /// The name in JSON.
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
    /// The token as spelled in the vocabulary.
    pub token: String,
    /// Alpha: the share of the token in the intent of the query.
    pub alpha: f32,
    /// Whether the token is a lane.
    pub lane: bool,
    /// Its bytes in the query; none for tokens that the encoder added.
    #[serde(skip)]
    pub bytes: Option<Range<usize>>,
}

/// A hit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hit {
    /// The rank, from 1.
    pub rank: usize,
    /// How well it fits: comparable within one result only.
    pub score: f32,
    /// The passage that was found: its text, with the id, title and metadata of its document.
    pub document: Document,
    /// Which part of the document it is.
    pub passage: Passage,
    /// The text of the document before and after the passage, as far as the search
    /// [asked for](crate::Search::context).
    pub context: [String; 2],
    /// The numbers of other passages of the document that were found, if passages are
    /// [grouped](crate::Search::group).
    pub others: Vec<usize>,
    /// The part of the text around the token that matches the lane.
    pub snippet: Vec<SnippetPiece>,
    /// Which token of it answers which token of the query, where tokens were compared.
    pub matches: Vec<Match>,
}

/// A hit.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AnswerHit))]
pub(crate) struct HitSchema<'a> {
    /// The rank, from 1.
    rank: usize,
    /// The id of the document.
    id: &'a str,
    /// The score, comparable only within one answer.
    score: f32,
    /// The title, empty if there is none.
    title: &'a str,
    /// The text of the passage.
    text: &'a str,
    /// Which part of the document the passage is.
    passage: &'a Passage,
    /// The text of the document before and after the passage, if asked for.
    #[serde(skip_serializing_if = "is_empty")]
    context: &'a [String; 2],
    /// The numbers of other passages of the document that were found, if they are grouped.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    others: &'a [usize],
    /// The metadata of the document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    metadata: &'a Metadata,
    /// The part of the text around the token that matches the lane.
    snippet: &'a [SnippetPiece],
    /// Pairs of a document token and the query token that it matches.
    matches: &'a [Match],
}

impl Serialize for Hit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { rank, score, document, passage, context, others, snippet, matches } = self;
        let Document { id, title, text, metadata, .. } = document;
        let (rank, score) = (*rank, *score);
        HitSchema {
            rank,
            id,
            score,
            title,
            text,
            passage,
            context,
            others,
            metadata,
            snippet,
            matches,
        }
        .serialize(serializer)
    }
}

/// Whether there is no context.
fn is_empty(context: &[String; 2]) -> bool {
    context.iter().all(String::is_empty)
}

/// A part of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnippetPiece {
    /// The text.
    pub text: String,
    /// The query token that this part matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// Whether this part determined the snippet: it matches the lane, or matches best (soft lane).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub won: bool,
}

/// A document token and the query token that it matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AnswerMatch))]
pub struct Match {
    /// The position of the query token.
    pub query: usize,
    /// The document token.
    pub token: String,
    /// The byte range of the token in title, space and text: start, and end (exclusive).
    #[serde(serialize_with = "as_pair")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<[usize; 2]>))]
    pub bytes: Option<Range<usize>>,
    /// The dot product of the two views.
    pub product: f32,
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn as_pair<S: Serializer>(bytes: &Option<Range<usize>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| [bytes.start, bytes.end]).serialize(serializer)
}

/// How long the stages of a search took. As JSON, in milliseconds, with their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Encoding the query.
    pub encode: Duration,
    /// Routing: computing alpha.
    pub route: Duration,
    /// Retrieving candidates with the lanes.
    pub probe: Duration,
    /// Reranking by late interaction.
    pub rerank: Duration,
    /// Searching with BM25 and fusing both lists.
    pub words: Duration,
    /// Fetching the documents and locating their tokens.
    pub show: Duration,
}

/// The time of each stage, in milliseconds.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct Milliseconds {
    /// Encoding the query.
    encode: f64,
    /// Routing: computing alpha.
    route: f64,
    /// Retrieving candidates with the lanes.
    probe: f64,
    /// Reranking by late interaction.
    rerank: f64,
    /// Searching with BM25 and fusing both lists.
    words: f64,
    /// Fetching the documents and locating their tokens.
    show: f64,
    /// The sum of all stages.
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
    /// The search failed.
    #[error(transparent)]
    Search(#[from] CollectionError),
    /// The output could not be written.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}
