//! What to search for, and how.

use std::sync::Arc;

use fastlane_corpus::Filter;
use fastlane_engine::QueryViews;

use crate::stop::Stop;

/// A search: a query, and how it is answered.
///
/// ```
/// use fastlane::{Fusion, Lanes, Search};
///
/// let search = Search::text("who keeps the light").k(20).filter("year > 1900".parse()?);
/// let as_colbert = search.clone().lanes(Lanes::All);
/// let with_words = search.fusion(Fusion::Ranks);
/// # Ok::<(), fastlane::FilterError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Search {
    /// What is searched for.
    pub query: Query,
    /// How many documents are wanted; 10 by default.
    pub k: usize,
    /// Which views of the query search.
    pub lanes: Lanes,
    /// How many of the documents that lanes find are scored by late interaction; 0 for none, 100 by
    /// default.
    pub rerank: usize,
    /// Joins what words find; off by default.
    pub fusion: Option<Fusion>,
    /// The only documents that may be found.
    pub filter: Option<Filter>,
    /// When the search ends before it is done.
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
        /// What the index of words is asked for, where words are joined.
        text: Option<String>,
    },
}

/// Which views of a query search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lanes {
    /// What the model was trained for: some tokens, or one view of all.
    #[default]
    Usual,
    /// So many tokens that carry most of the intent.
    Best(usize),
    /// Every token, as in ColBERT.
    All,
}

/// How what views found and what words found become one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fusion {
    /// Reciprocal rank fusion.
    Ranks,
    /// By scores, each list's scaled from 0 for its worst to 1 for its best.
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
        Self { query, k: 10, lanes, rerank: 100, fusion: None, filter: None, stop }
    }

    /// The same search for another query.
    #[must_use]
    pub fn query(self, query: Query) -> Self {
        Self { query, ..self }
    }

    /// How many documents are wanted.
    #[must_use]
    pub fn k(self, k: usize) -> Self {
        Self { k, ..self }
    }

    /// Which views of the query search.
    #[must_use]
    pub fn lanes(self, lanes: Lanes) -> Self {
        Self { lanes, ..self }
    }

    /// How many of the documents that lanes find are scored by late interaction; 0 for none.
    #[must_use]
    pub fn rerank(self, rerank: usize) -> Self {
        Self { rerank, ..self }
    }

    /// Joins what words find.
    #[must_use]
    pub fn fusion(self, fusion: impl Into<Option<Fusion>>) -> Self {
        Self { fusion: fusion.into(), ..self }
    }

    /// The only documents that may be found.
    #[must_use]
    pub fn filter(self, filter: impl Into<Option<Filter>>) -> Self {
        Self { filter: filter.into(), ..self }
    }

    /// When the search ends before it is done.
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
