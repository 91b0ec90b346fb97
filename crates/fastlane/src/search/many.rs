//! Batch search, for throughput: queries are encoded together, then searched by several threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::collection::Collection;
use crate::error::CollectionError;
use crate::query::{Query, Search};
use crate::result::SearchResult;

impl Collection {
    /// Runs many searches on some threads; results are in the order of the searches.
    ///
    /// Texts are encoded together, which takes less time than one by one.
    ///
    /// # Errors
    ///
    /// The first error; the other searches are cancelled.
    pub fn search_many(
        &self,
        searches: &[Search],
        threads: NonZero<usize>,
    ) -> Result<Vec<SearchResult>, CollectionError> {
        self.many(searches, threads, Self::search)
    }

    /// Ranks documents for many searches: see [`rank`](Self::rank).
    ///
    /// # Errors
    ///
    /// As [`search_many`](Self::search_many).
    pub fn rank_many(
        &self,
        searches: &[Search],
        threads: NonZero<usize>,
    ) -> Result<Vec<Vec<(String, f32)>>, CollectionError> {
        self.many(searches, threads, Self::rank)
    }

    fn many<T: Send>(
        &self,
        searches: &[Search],
        threads: NonZero<usize>,
        answer: impl Fn(&Self, &Search) -> Result<T, CollectionError> + Sync,
    ) -> Result<Vec<T>, CollectionError> {
        let searches = self.encoded(searches)?;
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(searches.len())));
        let work = || -> Result<(), CollectionError> {
            while let at = next.fetch_add(1, Ordering::Relaxed)
                && let Some(search) = searches.get(at)
            {
                // the others end at once
                let stop = |_: &CollectionError| next.store(searches.len(), Ordering::Relaxed);
                let answered = answer(self, search).inspect_err(stop)?;
                found.lock().unwrap_or_else(PoisonError::into_inner).push((at, answered));
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads = threads.get().min(searches.len());
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| match worker.join() {
                Ok(ended) => ended,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            // all are joined before the first error is returned
            joined.collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(at, _)| *at);
        Ok(found.into_iter().map(|(_, answered)| answered).collect())
    }

    /// The same searches by views.
    fn encoded(&self, searches: &[Search]) -> Result<Vec<Search>, CollectionError> {
        let texts = searches.iter().filter_map(|search| match &search.query {
            Query::Text(text) => Some(text.as_str()),
            Query::Views { .. } => None,
        });
        let texts: Vec<&str> = texts.collect();
        if texts.is_empty() {
            return Ok(searches.to_vec());
        }
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(CollectionError::EmptyQuery);
        }
        let views = self.required_encoder()?.encode_queries(&texts);
        let (found, wanted) = (views.len() as u64, texts.len() as u64);
        let mut views = views.into_iter();
        let encoded = |search: &Search| match &search.query {
            Query::Text(text) => {
                let views =
                    views.next().ok_or(CollectionError::EncodedTexts { found, wanted })??;
                let query = Query::Views { views: Arc::new(views), text: Some(text.clone()) };
                Ok(search.clone().query(query))
            }
            Query::Views { .. } => Ok(search.clone()),
        };
        searches.iter().map(encoded).collect()
    }
}
