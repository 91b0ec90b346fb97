//! Tests whether the difference between two systems is significant.
//!
//! Both answers rest on the differences d_q between two systems on the same queries:
//!
//! - **Paired randomisation test.** If the systems were equal, each d_q could as well have had the
//!   other sign. The p-value is the share of sign patterns whose |mean| reaches the one seen:
//!   over *all* 2^n patterns where that is no more work than the rounds asked for, else over
//!   random ones, as (hits + 1) / (rounds + 1) so that it is never 0.
//! - **Paired bootstrap.** Drawing n queries with replacement, again and again, gives a percentile
//!   interval for the mean difference.
//!
//! Several systems against one baseline are several chances to be lucky: [`holm`] corrects for it.
//!
//! The road not taken: Student's t-test agrees closely on real runs (Smucker et al., 2007) but
//! assumes what small sets of queries break; the Wilcoxon and sign tests ask another question.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The parameters of resampling: the same settings give the same digits on every machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// Sign patterns and bootstrap samples drawn. 10,000 resolve p-values down to 0.0001.
    pub rounds: usize,
    /// The seed of the random numbers.
    pub seed: u64,
    /// The share of bootstrap means inside the interval.
    pub confidence: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { rounds: 10_000, seed: 42, confidence: 0.95 }
    }
}

/// The comparison of two systems on the same queries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Queries compared.
    pub queries: usize,
    /// The system's mean over these queries.
    pub system: f64,
    /// The baseline's mean over these queries.
    pub baseline: f64,
    /// Mean of system minus baseline.
    pub difference: f64,
    /// Two-sided p-value of the paired randomisation test.
    pub p_value: f64,
    /// Bootstrap percentile interval of the difference.
    pub interval: (f64, f64),
    /// Queries where the system is better.
    pub wins: usize,
    /// Queries where it is worse.
    pub losses: usize,
}

impl Comparison {
    /// Compares `system` with `baseline`, value by value of the same queries.
    ///
    /// Without any query there is no evidence: difference 0, p-value 1.
    ///
    /// # Panics
    ///
    /// When the two hold different numbers of queries; [`crate::Evaluation::paired`] never does.
    ///
    /// ```
    /// use fastlane_eval::{Comparison, Resampling};
    ///
    /// let baseline = [0.1, 0.3, 0.2, 0.5, 0.0];
    /// let system = [0.2, 0.4, 0.3, 0.6, 0.1];
    /// let comparison = Comparison::new(&system, &baseline, &Resampling::default());
    /// assert_eq!(comparison.wins, 5);
    /// assert_eq!(comparison.p_value, 2.0 / 32.0); // all plus or all minus, of 2^5 patterns
    /// ```
    pub fn new(system: &[f64], baseline: &[f64], resampling: &Resampling) -> Self {
        assert_eq!(system.len(), baseline.len(), "systems are compared on the same queries");
        let differences: Vec<f64> = system.iter().zip(baseline).map(|(s, b)| s - b).collect();
        Self {
            queries: differences.len(),
            system: mean(system),
            baseline: mean(baseline),
            difference: mean(&differences),
            p_value: randomisation(&differences, resampling),
            interval: bootstrap(&differences, resampling),
            wins: differences.iter().filter(|d| **d > 0.0).count(),
            losses: differences.iter().filter(|d| **d < 0.0).count(),
        }
    }
}

/// Holm's step-down correction: p-values that may be read together, in the order given.
///
/// The smallest of m is multiplied by m, the next by m - 1, and so on; none may fall below the
/// one before it, and none exceeds 1.
///
/// ```
/// let corrected = fastlane_eval::holm(&[0.01, 0.04, 0.03]);
/// let expected = [0.03, 0.06, 0.06]; // 3 x 0.01, then 2 x 0.03, then at least that
/// assert!(corrected.iter().zip(expected).all(|(c, e)| (c - e).abs() < 1e-12));
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, &place) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        floor = floor.max((p_values[place] * factor).min(1.0));
        corrected[place] = floor;
    }
    corrected
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The two-sided p-value; queries without a difference do not change it and are left out.
fn randomisation(differences: &[f64], resampling: &Resampling) -> f64 {
    let moved: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if moved.is_empty() {
        return 1.0;
    }
    let seen: f64 = moved.iter().sum();
    // Sums of the same numbers with other signs differ in their last bits: equal must stay equal.
    let reached = seen.abs() - 1e-12 * moved.iter().map(|d| d.abs()).sum::<f64>();
    let patterns = 1_usize.checked_shl(moved.len() as u32).filter(|_| moved.len() < 63);
    match patterns.filter(|&patterns| patterns <= resampling.rounds) {
        Some(patterns) => {
            let extreme = |pattern: &usize| signed_sum(&moved, [*pattern as u64]) >= reached;
            (0..patterns).filter(extreme).count() as f64 / patterns as f64
        }
        None => {
            let mut rng = ChaCha8Rng::seed_from_u64(resampling.seed);
            let mut extreme =
                || signed_sum(&moved, std::iter::repeat_with(|| rng.next_u64())) >= reached;
            let hits = (0..resampling.rounds).filter(|_| extreme()).count();
            (hits + 1) as f64 / (resampling.rounds + 1) as f64
        }
    }
}

/// |sum of `values`| with the signs given bit by bit, 64 to a word.
fn signed_sum(values: &[f64], signs: impl IntoIterator<Item = u64>) -> f64 {
    let words = values.chunks(64).zip(signs);
    let flipped = |value: &f64, bit: u64| f64::from_bits(value.to_bits() ^ (bit << 63));
    let sum = words.map(|(values, word)| {
        values.iter().enumerate().map(|(at, value)| flipped(value, word >> at & 1)).sum::<f64>()
    });
    sum.sum::<f64>().abs()
}

/// The percentile interval of the mean over samples of the queries, drawn with replacement.
fn bootstrap(differences: &[f64], resampling: &Resampling) -> (f64, f64) {
    if differences.is_empty() || resampling.rounds == 0 {
        return (0.0, 0.0);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(resampling.seed);
    let mut draw = || differences[below(differences.len(), &mut rng)];
    let count = differences.len();
    let mut means: Vec<f64> = (0..resampling.rounds)
        .map(|_| (0..count).map(|_| draw()).sum::<f64>() / count as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - resampling.confidence.clamp(0.0, 1.0)) / 2.0;
    (quantile(&means, tail), quantile(&means, 1.0 - tail))
}

/// A random index below `count`: the high half of a product; its bias of count / 2^64 is
/// negligible.
fn below(count: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}

/// The value at `share` of the way through `sorted`, interpolated between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value(differences: &[f64], rounds: usize) -> f64 {
        randomisation(differences, &Resampling { rounds, ..Resampling::default() })
    }

    #[test]
    fn few_queries_are_tested_exactly() {
        // Signs of 1, 2, 3: |±1 ±2 ±3| reaches |1 + 2 - 3| = 0 always, 6 in 2 of 8, 4 in 4 of 8.
        assert_eq!(p_value(&[1.0, 2.0, -3.0], 8), 1.0);
        assert_eq!(p_value(&[1.0, 2.0, 3.0], 8), 0.25);
        assert_eq!(p_value(&[-1.0, 2.0, 3.0, 0.0], 8), 0.5, "a tie changes nothing");
    }

    #[test]
    fn sampled_signs_come_close_to_all_signs() {
        let differences: Vec<f64> = (0..14).map(|i| f64::from(i % 5) * 0.1 - 0.12).collect();
        let (exact, sampled) = (p_value(&differences, 1 << 14), p_value(&differences, 10_000));
        assert!((exact - sampled).abs() < 0.02, "{exact} {sampled}");
    }

    #[test]
    fn no_difference_is_no_evidence() {
        let comparison = Comparison::new(&[0.5; 20], &[0.5; 20], &Resampling::default());
        assert_eq!((comparison.p_value, comparison.interval), (1.0, (0.0, 0.0)));
        assert_eq!(Comparison::new(&[], &[], &Resampling::default()).p_value, 1.0);
    }

    #[test]
    fn the_same_seed_gives_the_same_digits() {
        let system: Vec<f64> = (0..50).map(|i| f64::from(i * 7 % 11) / 10.0).collect();
        let baseline: Vec<f64> = (0..50).map(|i| f64::from(i * 5 % 11) / 11.0).collect();
        let compare = |seed| {
            Comparison::new(&system, &baseline, &Resampling { seed, ..Resampling::default() })
        };
        assert_eq!(compare(1), compare(1));
        assert_ne!(compare(1).interval, compare(2).interval);
    }

    #[test]
    fn holm_by_hand() {
        // 4 x 0.01 = 0.04; 3 x 0.02 = 0.06; 2 x 0.03 = 0.06; 1 x 0.5
        let corrected = holm(&[0.5, 0.01, 0.03, 0.02]);
        for (corrected, expected) in corrected.iter().zip([0.5, 0.04, 0.06, 0.06]) {
            assert!((corrected - expected).abs() < 1e-12);
        }
        assert_eq!(holm(&[0.7, 0.6]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 3.0], 0.5), 1.5);
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
    }
}
