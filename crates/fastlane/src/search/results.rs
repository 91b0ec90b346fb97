//! What a search found, with documents that are fetched one at a time.

use std::time::Instant;

use fastlane_engine::QueryViews;

use super::show::Shower;
use super::{Candidate, Found, Hit, Stop, Times};
use crate::error::CollectionError;

/// What a search found: an iterator that fetches a document when it is asked for, so that no more of
/// them are in memory than its user keeps.
pub struct Results<'a> {
    pub(super) query: &'a QueryViews,
    pub(super) lanes: Vec<usize>,
    pub(super) times: Times,
    pub(super) best: std::vec::IntoIter<Candidate>,
    pub(super) shower: Shower<'a>,
    pub(super) stop: Stop,
}

impl Results<'_> {
    /// The query as it was searched with.
    pub fn query(&self) -> &QueryViews {
        self.query
    }

    /// The tokens whose views searched, best first.
    pub fn lanes(&self) -> &[usize] {
        &self.lanes
    }

    /// How long it took so far.
    pub fn times(&self) -> Times {
        self.times
    }

    /// Counts what came before the search: the text of the query became views.
    pub fn add_encoding(&mut self, encoding: Times) {
        (self.times.encode, self.times.route) = (encoding.encode, encoding.route);
    }

    /// The commit that was searched.
    pub fn generation(&self) -> u64 {
        self.shower.snapshot.reader.generation()
    }

    /// Fetches all documents.
    ///
    /// # Errors
    ///
    /// A document cannot be read, or the search was stopped.
    pub fn found(mut self) -> Result<Found, CollectionError> {
        let hits = self.by_ref().collect::<Result<_, _>>()?;
        let (query, generation) = (self.query.clone(), self.generation());
        Ok(Found { query, lanes: self.lanes, hits, times: self.times, generation })
    }

    fn fetch(&self, candidate: Candidate) -> Result<Option<Hit>, CollectionError> {
        match self.stop.is_due() {
            true => Err(CollectionError::SearchStopped),
            false => self.shower.hit(candidate),
        }
    }
}

impl Iterator for Results<'_> {
    type Item = Result<Hit, CollectionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let began = Instant::now();
        let hit = loop {
            match self.best.next().map(|candidate| self.fetch(candidate)) {
                // an id with views has words: they are of one commit
                Some(Ok(None)) => {}
                other => break other.and_then(Result::transpose),
            }
        };
        self.times.show += began.elapsed();
        hit
    }
}
