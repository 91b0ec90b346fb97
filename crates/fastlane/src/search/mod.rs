//! One search, in running order: encode, route, nominate and score, words, fuse, show.

mod fuse;
mod results;
mod show;

use std::ops::Range;
use std::time::{Duration, Instant};

use fastlane_corpus::{Document, Filter, LexicalSearch};
use fastlane_engine::{
    DocumentSet, DocumentViews, EncodeError, Encoder as _, Lane, Nominate, Pair, QueryViews,
    Request, Rerank, SearchTimes,
};

use crate::collection::Collection;
use crate::error::CollectionError;
use crate::snapshot::{Allowed, Snapshot};
use crate::stop::Stop;

pub use fuse::Fusion;
pub use results::Results;
pub use show::{Piece, snippet};

use show::Shower;

/// What to look for besides the query.
#[derive(Debug, Clone)]
pub struct Search {
    /// How many documents are wanted.
    pub k: usize,
    /// How many of the best tokens search; if nothing is said, what the model was trained for.
    pub lanes: Option<usize>,
    /// How many of the documents that lanes find are scored by late interaction; 0 for none.
    pub rerank: usize,
    /// Joins what words find, if anything is said.
    pub fusion: Option<Fusion>,
    /// The only documents that may be found.
    pub filter: Option<Filter>,
    /// When it ends before it is done.
    pub stop: Stop,
}

impl Default for Search {
    /// Ten documents by the usual lanes, the best hundred of which are scored by late interaction.
    fn default() -> Self {
        let stop = Stop::default();
        Self { k: 10, lanes: None, rerank: 100, fusion: None, filter: None, stop }
    }
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The query as it was searched with.
    pub query: QueryViews,
    /// The tokens whose views searched, best first.
    pub lanes: Vec<usize>,
    /// The documents, best first.
    pub hits: Vec<Hit>,
    /// How long it took.
    pub times: Times,
    /// The commit that was searched.
    pub generation: u64,
}

/// How long the stages of a search took.
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

impl Times {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.encode + self.route + self.probe + self.rerank + self.words + self.show
    }

    fn add(&mut self, times: SearchTimes) {
        self.probe += times.probe;
        self.rerank += times.rerank;
    }
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// How well it fits: comparable within one search only.
    pub score: f32,
    /// The document, as it was added.
    pub document: Document,
    /// Which token of it answers which token of the query, where tokens were compared.
    pub matches: Vec<Match>,
}

/// A token of a query and the token of a document that fits it best.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Which token of the query.
    pub query: usize,
    /// The token as the vocabulary spells it.
    pub token: String,
    /// Its bytes in [`Document::full_text`]; none for tokens that the encoder added.
    pub bytes: Option<Range<usize>>,
    /// How well they fit.
    pub product: f32,
}

/// A document on its way: who it is, and what made its score.
struct Candidate {
    id: String,
    score: f32,
    pairs: Vec<Pair>,
}

impl Collection {
    /// Finds documents for a text.
    ///
    /// # Errors
    ///
    /// The text is empty, there is no model, or a file is damaged.
    pub fn search(&self, query: &str, search: &Search) -> Result<Found, CollectionError> {
        let (views, times) = self.encode(query)?;
        let found = self.search_views(&views, Some(query), search)?;
        let times = Times { encode: times.encode, route: times.route, ..found.times };
        Ok(Found { times, ..found })
    }

    /// Turns a text into what searches; the stages of the search itself take no time yet.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    pub fn encode(&self, query: &str) -> Result<(QueryViews, Times), CollectionError> {
        if query.trim().is_empty() {
            return Err(CollectionError::EmptyQuery);
        }
        let path = self.directory.clone();
        let model = self.model.as_ref().ok_or(CollectionError::NoModel { path })?;
        let began = Instant::now();
        let (views, route) = model.encode_query_timed(query)?;
        let encode = began.elapsed().saturating_sub(route);
        Ok((views, Times { encode, route, ..Times::default() }))
    }

    /// Encodes documents that are not kept here, for those who want their views alone. Errors number
    /// them from `first`.
    ///
    /// # Errors
    ///
    /// There is no model, or a text cannot be encoded.
    pub fn encode_documents(
        &self,
        texts: Vec<String>,
        first: usize,
    ) -> Result<Vec<DocumentViews>, CollectionError> {
        let path = self.directory.clone();
        let model = self.model.as_ref().ok_or(CollectionError::NoModel { path })?;
        let views = (first..).zip(model.encode_documents(Box::new(texts.into_iter())));
        let named = |(place, views): (usize, Result<DocumentViews, EncodeError>)| {
            views.map_err(|source| CollectionError::Encode { id: format!("#{place}"), source })
        };
        views.map(named).collect()
    }

    /// Finds documents for views; `words` are what the index of words is asked for.
    ///
    /// # Errors
    ///
    /// The views do not fit the collection, a file is damaged, or the search was stopped.
    pub fn search_views(
        &self,
        query: &QueryViews,
        words: Option<&str>,
        search: &Search,
    ) -> Result<Found, CollectionError> {
        self.results(query, words, search)?.found()
    }

    /// Finds the same, and fetches each document when it is asked for.
    ///
    /// # Errors
    ///
    /// As [`search_views`](Self::search_views).
    pub fn results<'a>(
        &'a self,
        query: &'a QueryViews,
        words: Option<&str>,
        search: &Search,
    ) -> Result<Results<'a>, CollectionError> {
        let snapshot = self.snapshot();
        let mut times = Times::default();
        let lanes = query.searching(search.lanes);
        let one = One { snapshot: &snapshot, query, lanes: &lanes, search };
        let best = one.best(words, &mut times)?.into_iter();
        let lanes = lanes.iter().map(|lane| lane.token).collect();
        let shower = Shower::new(self.model.as_deref(), snapshot, search.rerank > 0);
        Ok(Results { query, lanes, times, best, shower, stop: search.stop.clone() })
    }

    /// Ranks documents for views, by their ids and scores alone: for runs of many queries.
    ///
    /// # Errors
    ///
    /// As [`search_views`](Self::search_views).
    pub fn rank(
        &self,
        query: &QueryViews,
        words: Option<&str>,
        search: &Search,
    ) -> Result<Vec<(String, f32)>, CollectionError> {
        let snapshot = self.snapshot();
        let lanes = query.searching(search.lanes);
        let one = One { snapshot: &snapshot, query, lanes: &lanes, search };
        let best = one.best(words, &mut Times::default())?;
        Ok(best.into_iter().map(|candidate| (candidate.id, candidate.score)).collect())
    }
}

/// One search.
struct One<'a> {
    snapshot: &'a Snapshot,
    query: &'a QueryViews,
    lanes: &'a [Lane<'a>],
    search: &'a Search,
}

impl One<'_> {
    fn best(
        &self,
        words: Option<&str>,
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        let stop = &self.search.stop;
        let allowed = self.search.filter.as_ref().map(|filter| self.snapshot.allowed(filter, stop));
        let allowed = allowed.transpose()?;
        let allowed = allowed.as_deref();
        match (self.search.fusion, words) {
            (Some(fusion), Some(words)) => self.hybrid(fusion, (words, allowed), times),
            _ => self.by_views(self.search.k, allowed, times),
        }
    }

    /// By lanes, then late interaction.
    fn by_views(
        &self,
        k: usize,
        allowed: Option<&Allowed>,
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        self.among(allowed.map(|allowed| &allowed.views), k, Nominate::Auto, times)
    }

    fn among(
        &self,
        allowed: Option<&DocumentSet>,
        k: usize,
        nominate: Nominate,
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        let documents = self.search.rerank;
        let rerank = Rerank { query: &self.query.views, weights: None, documents };
        let rerank = (documents > 0).then_some(rerank);
        let request = Request { lanes: self.lanes, k, nominate, rerank, filter: allowed };
        let (hits, took) =
            self.snapshot.reader.search_while(&request, &|| !self.search.stop.is_due())?;
        times.add(took);
        let candidate = |hit: fastlane_engine::Hit<'_>| Candidate {
            id: hit.id.to_owned(),
            score: hit.score,
            pairs: hit.pairs,
        };
        Ok(hits.into_iter().map(candidate).collect())
    }

    /// By views and by words: what either finds is scored by both.
    fn hybrid(
        &self,
        fusion: Fusion,
        (words, allowed): (&str, Option<&Allowed>),
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        let depth = self.search.k.max(self.search.rerank).max(fuse::DEPTH);
        let mut views = self.by_views(depth, allowed, times)?;
        let began = Instant::now();
        let lexical = LexicalSearch { k: depth, ..LexicalSearch::default() };
        let passing = allowed.map(|allowed| &allowed.words);
        let go_on = || !self.search.stop.is_due();
        let lexical =
            self.snapshot.words(|index| index.search_passing(words, &lexical, passing, &go_on))?;
        times.words = began.elapsed();
        let known = |id: &str| views.iter().any(|candidate| candidate.id == id);
        let others = lexical.iter().map(|hit| hit.id.as_str()).filter(|id| !known(id));
        let others = self.snapshot.reader.select(others);
        if !others.is_empty() {
            let nominate = if self.search.rerank > 0 { Nominate::All } else { Nominate::Scan };
            views.extend(self.among(Some(&others), others.len(), nominate, times)?);
        }
        let began = Instant::now();
        let best = fuse::fuse(views, &lexical, fusion, self.search.k);
        times.words += began.elapsed();
        Ok(best)
    }
}
