//! Queries and the parameters of a search.

use std::sync::Arc;

use fastlane_corpus::Filter;
use fastlane_engine::QueryViews;

use crate::stop::Stop;

/// A search: a query, and how it is answered.
///
/// ```
/// use fastlane::{Filter, Fusion, Lanes, Search};
///
/// let search = Search::text("who keeps the light").k(20).filter("year > 1900".parse::<Filter>()?);
/// let as_colbert = search.clone().lanes(Lanes::All);
/// let with_words = search.fusion(Fusion::Ranks);
/// # Ok::<(), fastlane::FilterError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Search {
    /// What is searched for.
    pub query: Query,
    /// Number of passages to return, or of documents; default: 10.
    pub k: usize,
    /// Which views of the query search.
    pub lanes: Lanes,
    /// Number of candidates to rerank by late interaction; 0 disables reranking; default: 100.
    pub rerank: usize,
    /// Fuses the results with those of BM25; default: off.
    pub fusion: Option<Fusion>,
    /// A filter on metadata.
    pub filter: Option<Filter>,
    /// Whether each document is found once, by its best passage; default: every passage for itself.
    pub group: bool,
    /// How many passages before and after a hit are [context](crate::Hit::context); default: 0.
    pub context: usize,
    /// The condition that ends the search early.
    pub stop: Stop,
}

/// What is searched for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Query {
    /// A text, which the encoder turns into views.
    Text(String),
    /// Views that were made before.
    Views {
        /// The views.
        views: Arc<QueryViews>,
        /// The query text for BM25, in a hybrid search.
        text: Option<String>,
    },
}

/// Which views of a query search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lanes {
    /// The default of the model: some tokens, or one view of all tokens.
    #[default]
    Usual,
    /// This many tokens, those with the largest alpha.
    Best(usize),
    /// Every token, as in ColBERT.
    All,
}

/// How the results by views and those of BM25 are fused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fusion {
    /// Reciprocal rank fusion.
    Ranks,
    /// Scores, each list scaled from 0 for its worst to 1 for its best.
    Scores,
}

impl Search {
    /// Searches for a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Query::Text(text.into()))
    }

    /// Searches for views that were made before.
    pub fn views(views: impl Into<Arc<QueryViews>>) -> Self {
        Self::new(Query::Views { views: views.into(), text: None })
    }

    fn new(query: Query) -> Self {
        let (lanes, stop) = (Lanes::Usual, Stop::default());
        let (k, rerank, fusion, filter, group, context) = (10, 100, None, None, false, 0);
        Self { query, k, lanes, rerank, fusion, filter, group, context, stop }
    }

    /// The same search for another query.
    #[must_use]
    pub fn query(self, query: Query) -> Self {
        Self { query, ..self }
    }

    /// Number of passages to return, or of documents if they are [grouped](Self::group).
    #[must_use]
    pub fn k(self, k: usize) -> Self {
        Self { k, ..self }
    }

    /// Which views of the query search.
    #[must_use]
    pub fn lanes(self, lanes: Lanes) -> Self {
        Self { lanes, ..self }
    }

    /// Number of candidates to rerank by late interaction; 0 disables reranking.
    #[must_use]
    pub fn rerank(self, rerank: usize) -> Self {
        Self { rerank, ..self }
    }

    /// Fuses the results with those of BM25.
    #[must_use]
    pub fn fusion(self, fusion: impl Into<Option<Fusion>>) -> Self {
        Self { fusion: fusion.into(), ..self }
    }

    /// A filter on metadata.
    #[must_use]
    pub fn filter(self, filter: impl Into<Option<Filter>>) -> Self {
        Self { filter: filter.into(), ..self }
    }

    /// Finds each document once, by its best passage.
    #[must_use]
    pub fn group(self, group: bool) -> Self {
        Self { group, ..self }
    }

    /// Gives each hit the text of this many passages before and after it.
    #[must_use]
    pub fn context(self, context: usize) -> Self {
        Self { context, ..self }
    }

    /// The condition that ends the search early.
    #[must_use]
    pub fn stop(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }
}

impl Query {
    /// The text, if there is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Views { text, .. } => text.as_deref(),
        }
    }
}

impl Lanes {
    /// A number of tokens, or what the model was trained for.
    pub(crate) fn count(self) -> Option<usize> {
        match self {
            Self::Usual => None,
            Self::Best(count) => Some(count),
            Self::All => Some(usize::MAX),
        }
    }
}

impl From<Option<usize>> for Lanes {
    fn from(count: Option<usize>) -> Self {
        match count {
            None => Self::Usual,
            Some(usize::MAX) => Self::All,
            Some(count) => Self::Best(count),
        }
    }
}
