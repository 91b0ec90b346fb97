//! Who is at work: a text that comes alone has all threads, beside others it has its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the texts that are in work, or wait for a thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<AtomicUsize>);

/// A text's turn, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    others: usize,
}

impl Turns {
    pub(crate) fn begin(&self) -> Turn {
        let others = self.0.fetch_add(1, Ordering::Relaxed);
        Turn { turns: self.clone(), others }
    }
}

impl Turn {
    /// Tells whether nobody else was at work when it began.
    pub(crate) fn is_alone(&self) -> bool {
        self.others == 0
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_is_not_alone() {
        let turns = Turns::default();
        let first = turns.begin();
        let second = turns.begin();
        assert!(first.is_alone() && !second.is_alone());
        drop(first);
        assert!(!turns.begin().is_alone());
        drop(second);
        assert!(turns.begin().is_alone());
    }
}
