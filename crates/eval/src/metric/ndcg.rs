//! Normalised discounted cumulative gain: graded relevance, discounted by rank.
//!
//! `nDCG@k = sum_{i<=k} gain(g_i) / log2(i + 1)`, divided by the same sum over the best possible
//! ranking (Järvelin and Kekäläinen, 2002). trec_eval's gain is the grade itself; web search and
//! several papers use `2^grade - 1`, which rewards the top grade more.

use super::{Metric, sum};
use crate::judged::Judged;

/// The gain of a grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Gains {
    /// The grade itself, as in trec_eval.
    #[default]
    Linear,
    /// `2^grade - 1`.
    Exponential,
}

impl Gains {
    /// The gain of `grade`, in units that keep `2^best` finite: they cancel in the quotient.
    fn of(self, grade: i32, best: i32) -> f64 {
        match self {
            Self::Linear => f64::from(grade.max(0)),
            Self::Exponential if grade <= 0 => 0.0,
            Self::Exponential => f64::from(grade - best).exp2() - f64::from(-best).exp2(),
        }
    }
}

/// nDCG of a ranking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Ndcg {
    /// The ranks that count; all of them if `None`.
    pub(super) cutoff: Option<usize>,
    /// The gain of a grade.
    pub(super) gains: Gains,
}

impl Metric for Ndcg {
    fn value(&self, judged: &Judged) -> f64 {
        let Some(&best) = judged.ideal(self.cutoff).first() else { return 0.0 };
        let gain = |grade| self.gains.of(grade, best);
        let ranked = judged.top(self.cutoff).iter().map(|grade| grade.map_or(0.0, gain));
        let ideal = judged.ideal(self.cutoff).iter().map(|&grade| gain(grade));
        discounted(ranked) / discounted(ideal)
    }
}

fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    // skipping documents without gain, which are most, saves their logarithms
    let gaining = gains.enumerate().filter(|(_, gain)| *gain > 0.0);
    sum(gaining.map(|(rank, gain)| gain / (rank as f64 + 2.0).log2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Found: grade 1, unjudged, grade 3. There were a 3, a 2 and a 1.
    fn judged() -> Judged {
        Judged::from_grades(&[Some(1), None, Some(3)], &[3, 2, 1])
    }

    #[test]
    fn linear_gains_by_hand() {
        // DCG = 1/log2(2) + 3/log2(4) = 1 + 1.5 = 2.5
        // IDCG = 3/1 + 2/1.584963 + 1/2 = 3 + 1.261860 + 0.5 = 4.761860
        let value = Ndcg { cutoff: Some(10), gains: Gains::Linear }.value(&judged());
        assert!((value - 2.5 / 4.761_859_507).abs() < 1e-9, "{value}");
    }

    #[test]
    fn exponential_gains_by_hand() {
        // DCG = 1/1 + 7/2 = 4.5; IDCG = 7 + 3/1.584963 + 1/2 = 9.392789
        let value = Ndcg { cutoff: None, gains: Gains::Exponential }.value(&judged());
        assert!((value - 4.5 / 9.392_789_261).abs() < 1e-9, "{value}");
    }

    #[test]
    fn exponential_gains_of_huge_grades_stay_finite() {
        let judged = Judged::from_grades(&[Some(1500), Some(1)], &[2000, 1500, 1]);
        let value = Ndcg { cutoff: None, gains: Gains::Exponential }.value(&judged);
        assert!((0.0..1e-9).contains(&value), "{value}: 2^-500 of the best gain was found");
        let judged = Judged::from_grades(&[Some(i32::MAX)], &[i32::MAX]);
        assert_eq!(Ndcg { cutoff: None, gains: Gains::Exponential }.value(&judged), 1.0);
    }

    #[test]
    fn the_cutoff_cuts_both_sums() {
        // DCG@1 = 1, IDCG@1 = 3
        let value = Ndcg { cutoff: Some(1), gains: Gains::Linear }.value(&judged());
        assert!((value - 1.0 / 3.0).abs() < 1e-12, "{value}");
    }

    #[test]
    fn nothing_to_find_is_zero() {
        let judged = Judged::from_grades(&[Some(0), None], &[]);
        assert_eq!(Ndcg::default().value(&judged), 0.0);
    }
}
