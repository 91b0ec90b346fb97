//! A cache of query views: a repeated query is not encoded again.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastlane_engine::QueryViews;
use lru::LruCache;

type Views = LruCache<String, Arc<QueryViews>>;

/// The latest queries of a collection.
pub(crate) struct QueryCache {
    /// `None` if the cache is off.
    views: Option<Mutex<Views>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl QueryCache {
    pub(crate) fn new(entries: usize) -> Self {
        let views = NonZero::new(entries).map(|entries| Mutex::new(LruCache::new(entries)));
        Self { views, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Views>> {
        // a cache is valid after every step
        self.views.as_ref().map(|views| views.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn get(&self, text: &str) -> Option<Arc<QueryViews>> {
        let found = self.lock().and_then(|mut views| views.get(text).cloned());
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    pub(crate) fn put(&self, text: &str, views: &Arc<QueryViews>) {
        if let Some(mut kept) = self.lock() {
            kept.put(text.to_owned(), Arc::clone(views));
        }
    }

    pub(crate) fn counts(&self) -> [u64; 2] {
        [&self.hits, &self.misses].map(|count| count.load(Ordering::Relaxed))
    }
}
