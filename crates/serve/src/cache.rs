//! Views of the latest queries: who goes back, turns a knob or asks what others ask, is answered
//! without encoding.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fastlane::{Collection, CollectionError, QueryViews, Times};
use lru::LruCache;

/// Queries that are kept: of 32 tokens with 128 numbers each, 8 MiB.
const KEPT: NonZero<usize> = NonZero::new(512).expect("it is not 0");

/// The views of the latest queries of an index.
pub(crate) struct QueryCache {
    views: Mutex<LruCache<String, Arc<QueryViews>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl QueryCache {
    pub(crate) fn new() -> Self {
        let views = Mutex::new(LruCache::new(KEPT));
        Self { views, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The views of a text, and how long they took to make.
    pub(crate) fn encode(
        &self,
        text: &str,
        collection: &Collection,
    ) -> Result<(Arc<QueryViews>, Times), CollectionError> {
        let lock = || self.views.lock().expect("nobody panics while it is held");
        if let Some(views) = lock().get(text) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok((Arc::clone(views), Times::default()));
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        // two who ask the same at once both encode it, and nobody waits for another
        let (views, times) = collection.encode(text)?;
        let views = Arc::new(views);
        lock().put(text.to_owned(), Arc::clone(&views));
        Ok((views, times))
    }

    /// How many queries were there, and how many were not.
    pub(crate) fn counts(&self) -> [u64; 2] {
        [&self.hits, &self.misses].map(|count| count.load(Ordering::Relaxed))
    }
}
