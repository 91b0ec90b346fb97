//! When a search ends before it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ends a search: at a moment, or as soon as [`cancel`](Self::cancel) is called on it or on a clone.
///
/// A search looks at it between documents, between lists, between the comparisons of its filter and
/// between the texts that it fetches: about once in a millisecond.
///
/// ```
/// use fastlane::{Search, Stop};
/// use std::time::Duration;
///
/// let search = Search::text("light").stop(Stop::after(Duration::from_secs(2)));
/// assert!(!search.stop.is_due());
/// search.stop.cancel();
/// assert!(search.stop.is_due());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Stop {
    at: Option<Instant>,
    cancelled: Arc<AtomicBool>,
}

impl Stop {
    /// Sets a time limit from now.
    pub fn after(time: Duration) -> Self {
        Self { at: Instant::now().checked_add(time), cancelled: Arc::default() }
    }

    /// Stops the search now.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the search should end.
    pub fn is_due(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.at.is_some_and(|at| Instant::now() >= at)
    }
}
