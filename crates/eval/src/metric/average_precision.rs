//! Average precision: the mean of the precisions at each relevant document, missed ones as 0.

use super::{Metric, sum};
use crate::judged::{Judged, is_relevant};

/// Average precision of a ranking; its mean over queries is MAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct AveragePrecision {
    /// The ranks that count; all of them if `None`. The divisor is always all relevant documents.
    pub(super) cutoff: Option<usize>,
    /// The lowest grade that counts as relevant.
    pub(super) level: i32,
}

impl Metric for AveragePrecision {
    fn value(&self, judged: &Judged) -> f64 {
        let ranks = judged.top(self.cutoff).iter().enumerate();
        let relevant = ranks.filter(|(_, grade)| is_relevant(**grade, self.level));
        let precisions =
            relevant.zip(1..).map(|((rank, _), found)| f64::from(found) / (rank + 1) as f64);
        match judged.relevant(self.level) {
            0 => 0.0,
            total => sum(precisions) / total as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Relevant at ranks 1 and 3, a third one missed: (1/1 + 2/3 + 0) / 3 = 0.5556
        let judged = Judged::from_grades(&[Some(2), Some(0), Some(1), None], &[2, 1, 1]);
        let value = AveragePrecision { cutoff: None, level: 1 }.value(&judged);
        assert!((value - 5.0 / 9.0).abs() < 1e-12, "{value}");
        // Cut at 2, only the first is seen: 1/3.
        let value = AveragePrecision { cutoff: Some(2), level: 1 }.value(&judged);
        assert!((value - 1.0 / 3.0).abs() < 1e-12, "{value}");
        // Grade 2 only: the first document is the only one there was.
        assert_eq!(AveragePrecision { cutoff: None, level: 2 }.value(&judged), 1.0);
    }
}
