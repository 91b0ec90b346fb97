//! Success: whether the first k hold any relevant document at all.

use super::Metric;
use crate::judged::Judged;

/// 1 if there is a relevant document among the first k; its mean is the share of such queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Success {
    /// The ranks that count.
    pub(super) cutoff: usize,
    /// The lowest grade that counts as relevant.
    pub(super) level: i32,
}

impl Metric for Success {
    fn value(&self, judged: &Judged) -> f64 {
        if judged.found(self.cutoff, self.level) > 0 { 1.0 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let judged = Judged::from_grades(&[None, Some(1)], &[1]);
        assert_eq!(Success { cutoff: 1, level: 1 }.value(&judged), 0.0);
        assert_eq!(Success { cutoff: 2, level: 1 }.value(&judged), 1.0);
        assert_eq!(Success { cutoff: 2, level: 2 }.value(&judged), 0.0);
    }
}
