//! Counts the texts in flight: a text alone uses all threads, concurrent ones use one each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of texts that are being encoded, or wait for a thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight(Arc<AtomicUsize>);

/// Counts one text as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlightGuard {
    in_flight: InFlight,
    others: usize,
}

impl InFlight {
    pub(crate) fn begin(&self) -> InFlightGuard {
        let others = self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard { in_flight: self.clone(), others }
    }
}

impl InFlightGuard {
    /// Returns whether no other text was in flight when it began.
    pub(crate) fn is_alone(&self) -> bool {
        self.others == 0
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.in_flight.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_is_not_alone() {
        let in_flight = InFlight::default();
        let first = in_flight.begin();
        let second = in_flight.begin();
        assert!(first.is_alone() && !second.is_alone());
        drop(first);
        assert!(!in_flight.begin().is_alone());
        drop(second);
        assert!(in_flight.begin().is_alone());
    }
}
