//! Plans the effort of a list search for a wanted recall.
//!
//! When lists are ordered by value, the same number of lists finds the same share of the best
//! documents at every index size: with 100,000 to 10,000,000 views, 128 or 384 dims, token views or
//! nine lane views per document, 98 of the best 100 take 200 to 280 lists, and 98 % of the best ten
//! 100 to 170. More documents or fewer misses take more lists. The numbers below are the larger of
//! the measured ones, with a reserve of 0.002: see `docs/guide/indexing.md`.
//!
//! The road not taken: to stop when the value of the next list is below the worst of the best
//! documents so far. That finds as much in the same time on a million views, and takes several
//! times as long on nine million lane views.

/// The number of lists, and the margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ProbePlan {
    /// The number of lists to probe.
    pub(super) probes: usize,
    /// The standard errors by which an estimate may fall short and still be compared exactly.
    pub(super) margin: f32,
}

impl ProbePlan {
    /// The plan for a recall below 1 of the `wanted` best documents, when a share `left` of all
    /// documents may be found.
    pub(super) fn of(recall: f32, wanted: usize, left: f64) -> Self {
        let misses = f64::from(1.0 - recall);
        let wanted = wanted as f64 / left.max(1e-3);
        let probes = (170.0 + 6.0 * wanted.powf(2.0 / 3.0)) * (0.02 / misses).powf(0.7);
        // the codes cause a fifth of the loss: 0.01 with 1 standard error, 0.003 with 1.5
        let margin = (-misses.log10() - 0.25).max(0.0);
        Self { probes: probes as usize, margin: margin as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_grows_with_what_is_wanted_and_with_the_recall() {
        let probes = |recall, wanted, left| ProbePlan::of(recall, wanted, left).probes;
        // 170 + 6 * 100^(2/3) = 170 + 6 * 21.544
        assert_eq!(probes(0.98, 100, 1.0), 299);
        assert_eq!(probes(0.98, 50, 0.5), 299);
        // 0.2^0.7 = 0.3241 of it, 4^0.7 = 2.639 times as many
        assert_eq!((probes(0.9, 100, 1.0), probes(0.995, 100, 1.0)), (97, 789));
        let margin = |recall| ProbePlan::of(recall, 10, 1.0).margin;
        assert!((margin(0.9) - 0.75).abs() < 1e-6 && (margin(0.99) - 1.75).abs() < 1e-4);
        assert_eq!(margin(0.1), 0.0);
    }
}
