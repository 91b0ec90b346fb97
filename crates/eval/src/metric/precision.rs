//! Precision: the share of the first k documents that are relevant.

use super::{Metric, share};
use crate::judged::Judged;

/// Precision at k. A ranking of fewer than k documents is padded with misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Precision {
    /// The ranks that count, and the divisor even if fewer documents were returned.
    pub(super) cutoff: usize,
    /// The lowest grade that counts as relevant.
    pub(super) level: i32,
}

impl Metric for Precision {
    fn value(&self, judged: &Judged) -> f64 {
        share(judged.found(self.cutoff, self.level), self.cutoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let judged = Judged::from_grades(&[Some(1), None, Some(2)], &[2, 1, 1]);
        assert_eq!(Precision { cutoff: 2, level: 1 }.value(&judged), 0.5);
        assert_eq!(Precision { cutoff: 10, level: 1 }.value(&judged), 0.2, "only 3 came back");
        assert_eq!(Precision { cutoff: 3, level: 2 }.value(&judged), 1.0 / 3.0);
    }
}
