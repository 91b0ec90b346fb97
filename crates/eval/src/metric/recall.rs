//! Recall: the share of the relevant documents that the first k hold.

use super::{Metric, share};
use crate::judged::Judged;

/// Recall at k: the upper bound for a reranker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Recall {
    /// The ranks that count.
    pub(super) cutoff: usize,
    /// The lowest grade that counts as relevant.
    pub(super) level: i32,
}

impl Metric for Recall {
    fn value(&self, judged: &Judged) -> f64 {
        share(judged.found(self.cutoff, self.level), judged.relevant(self.level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Two of three relevant documents among four, one of them in the first two.
        let judged = Judged::from_grades(&[Some(1), None, Some(0), Some(2)], &[2, 1, 1]);
        assert_eq!(Recall { cutoff: 100, level: 1 }.value(&judged), 2.0 / 3.0);
        assert_eq!(Recall { cutoff: 2, level: 1 }.value(&judged), 1.0 / 3.0);
        assert_eq!(Recall { cutoff: 100, level: 3 }.value(&judged), 0.0, "nothing to find");
    }
}
