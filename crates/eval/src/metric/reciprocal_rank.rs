//! Reciprocal rank: one over the rank of the first relevant document.

use super::Metric;
use crate::judged::{Judged, is_relevant};

/// The reciprocal rank of the first relevant document; its mean over queries is MRR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ReciprocalRank {
    /// The ranks that count; all of them if `None`.
    pub(super) cutoff: Option<usize>,
    /// The lowest grade that counts as relevant.
    pub(super) level: i32,
}

impl Metric for ReciprocalRank {
    fn value(&self, judged: &Judged) -> f64 {
        let mut top = judged.top(self.cutoff).iter();
        top.position(|&grade| is_relevant(grade, self.level))
            .map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let judged = Judged::from_grades(&[None, Some(0), Some(1), Some(2)], &[2, 1]);
        let value = |cutoff, level| ReciprocalRank { cutoff, level }.value(&judged);
        assert_eq!(value(None, 1), 1.0 / 3.0);
        assert_eq!(value(None, 2), 0.25);
        assert_eq!(value(Some(3), 2), 0.0);
    }
}
