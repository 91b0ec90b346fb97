//! One search, in order: encode, route, retrieve and rerank, BM25, fuse, show.

mod fuse;
mod group;
mod many;
mod results;

use std::sync::Arc;
use std::time::Instant;

use fastlane_engine::{Lane, QueryViews};

use crate::backend::{ByViews, Candidate, SearchScope, Snapshot};
use crate::collection::Collection;
use crate::error::CollectionError;
use crate::query::{Fusion, Query, Search};
use crate::record::document_of;
use crate::result::{SearchResult, Times};

pub use results::Results;

impl Collection {
    /// Finds documents.
    ///
    /// # Errors
    ///
    /// The text is empty, there is no encoder, views do not match the collection, a file is
    /// damaged, or the search was stopped.
    pub fn search(&self, search: &Search) -> Result<SearchResult, CollectionError> {
        self.results(search)?.into_result()
    }

    /// The same, but fetches each document on demand.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    pub fn results(&self, search: &Search) -> Result<Results, CollectionError> {
        let (query, mut times) = self.views_of(&search.query)?;
        let snapshot = self.snapshot();
        let lanes = query.searching(search.lanes.count());
        let best = stages(&*snapshot, (&query, &lanes), search, &mut times)?;
        let lanes = lanes.iter().map(|lane| lane.token).collect();
        Ok(Results::new(self, snapshot, search, (query, lanes), (best, times)))
    }

    /// Returns only ids and scores of documents, each by its best passage, without texts: for runs
    /// of many queries.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    pub fn rank(&self, search: &Search) -> Result<Vec<(String, f32)>, CollectionError> {
        let (query, mut times) = self.views_of(&search.query)?;
        let lanes = query.searching(search.lanes.count());
        let search = Search { group: true, ..search.clone() };
        let best = stages(&*self.snapshot(), (&query, &lanes), &search, &mut times)?;
        let ranked = |Found { candidate, .. }: Found| {
            (document_of(&candidate.id).to_owned(), candidate.score)
        };
        Ok(best.into_iter().map(ranked).collect())
    }

    /// Encodes a text, or takes its views from the cache; returns the time.
    ///
    /// # Errors
    ///
    /// The text is empty, there is no encoder, or it cannot encode the text.
    pub fn encode(&self, text: &str) -> Result<(Arc<QueryViews>, Times), CollectionError> {
        if text.trim().is_empty() {
            return Err(CollectionError::EmptyQuery);
        }
        let encoder = self.required_encoder()?;
        if let Some(views) = self.inner.cache.get(text) {
            return Ok((views, Times::default()));
        }
        let began = Instant::now();
        // two threads with the same query both encode it, and neither waits for the other
        let (views, route) = encoder.encode_query_timed(text)?;
        let encode = began.elapsed().saturating_sub(route);
        let views = Arc::new(views);
        self.inner.cache.put(text, &views);
        Ok((views, Times { encode, route, ..Times::default() }))
    }

    fn views_of(&self, query: &Query) -> Result<(Arc<QueryViews>, Times), CollectionError> {
        match query {
            Query::Text(text) => self.encode(text),
            Query::Views { views, .. } => Ok((Arc::clone(views), Times::default())),
        }
    }
}

/// A passage that was found.
struct Found {
    candidate: Candidate,
    /// The keys of other passages of its document, which are folded into it.
    others: Vec<String>,
}

impl From<Candidate> for Found {
    fn from(candidate: Candidate) -> Self {
        Self { candidate, others: Vec::new() }
    }
}

/// The stages after encoding.
fn stages(
    snapshot: &dyn Snapshot,
    query: (&QueryViews, &[Lane<'_>]),
    search: &Search,
    times: &mut Times,
) -> Result<Vec<Found>, CollectionError> {
    let stages = Stages { snapshot, query: query.0, lanes: query.1, search };
    let mut passages = |k| {
        let best = match (search.fusion, search.query.as_text()) {
            (Some(fusion), Some(text)) => stages.hybrid((fusion, k), text, times)?,
            _ => stages.by_views(k, stages.allowed(), times)?,
        };
        Ok(best.into_iter().map(Found::from).collect())
    };
    match search.group {
        false => passages(search.k),
        true => group::by_document(search.k, passages),
    }
}

struct Stages<'a> {
    snapshot: &'a dyn Snapshot,
    query: &'a QueryViews,
    lanes: &'a [Lane<'a>],
    search: &'a Search,
}

impl Stages<'_> {
    /// The documents that pass the filter.
    fn allowed(&self) -> SearchScope<'_> {
        self.search.filter.as_ref().map_or(SearchScope::All, SearchScope::Passing)
    }

    /// By lanes, then late interaction.
    fn by_views(
        &self,
        k: usize,
        scope: SearchScope<'_>,
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        let Search { rerank, ref stop, .. } = *self.search;
        let request = ByViews { lanes: self.lanes, query: &self.query.views, rerank, k, scope };
        let found = self.snapshot.nominate(&request, stop)?;
        times.probe += found.times.probe;
        times.rerank += found.times.rerank;
        Ok(found.best)
    }

    /// Hybrid: candidates that BM25 alone finds are scored by views, too. What BM25 does not find
    /// among its best counts as 0 there.
    fn hybrid(
        &self,
        (fusion, k): (Fusion, usize),
        text: &str,
        times: &mut Times,
    ) -> Result<Vec<Candidate>, CollectionError> {
        let Search { rerank, ref filter, ref stop, .. } = *self.search;
        let depth = k.max(rerank).max(fuse::DEPTH);
        let mut views = self.by_views(depth, self.allowed(), times)?;
        let began = Instant::now();
        let words = self.snapshot.words(text, depth, filter.as_ref(), stop)?;
        times.words += began.elapsed();
        let known = |id: &str| views.iter().any(|candidate| candidate.id == id);
        let others: Vec<&str> =
            words.iter().map(|hit| hit.id.as_str()).filter(|id| !known(id)).collect();
        if !others.is_empty() {
            views.extend(self.by_views(others.len(), SearchScope::Ids(&others), times)?);
        }
        let began = Instant::now();
        let best = fuse::fuse(views, &words, fusion, k);
        times.words += began.elapsed();
        Ok(best)
    }
}
