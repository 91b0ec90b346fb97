//! A fixed random rotation, so that no dimension of a residual dominates.
//!
//! The sign of a number carries most information when all numbers have similar size. [`Rotation`]
//! achieves that: each round flips random signs and multiplies with a Hadamard matrix, whose rows
//! are orthogonal and contain only 1 and -1 (Ailon and Chazelle, *The fast Johnson-Lindenstrauss
//! transform*, 2009). It needs no matrix in memory and d log d additions.
//!
//! Hadamard matrices of this kind have powers of two as sizes. If the dimension is not a power of
//! two, the largest one that fits covers the first dimensions in one round and the last in the
//! next. Where the two windows overlap little, as 512 of 1016, that alone would mix the ends badly;
//! so the second round ends with sums and differences of the two halves of the vector. (After every
//! round they would do harm: single values of up to 10 times the mean size were seen, against 5
//! times now, which is what random directions have.)
//!
//! The result is the same, bit by bit, on every CPU: codes written on one machine are valid for
//! queries rotated on another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use fastlane_kernels::search::Kernel;

/// Rounds: enough for a vector along one dimension to spread over all.
const ROUNDS: usize = 4;

/// The round that ends with sums and differences of the halves.
const CROSSING: usize = 1;

/// A rotation of vectors of one dimension.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    kernel: Kernel,
    dim: usize,
    /// The largest power of two that fits.
    window: usize,
    /// The factor of each value before each round: a sign, times the scale of the round.
    flips: Vec<f32>,
}

impl Rotation {
    /// Draws a rotation; the same seed gives the same rotation.
    ///
    /// # Panics
    ///
    /// `dim` is 0, or odd and not 1.
    pub(crate) fn new(dim: usize, seed: u64) -> Self {
        assert!(dim == 1 || (dim > 0 && dim.is_multiple_of(2)), "{dim} dimensions");
        let window = 1 << dim.ilog2();
        let mut flips = signs(ROUNDS * dim, seed);
        for (round, flips) in flips.chunks_exact_mut(dim).enumerate() {
            scale(flips, window, round);
        }
        Self { kernel: Kernel::best(), dim, window, flips }
    }

    /// Rotates a vector; lengths and inner products do not change.
    ///
    /// # Panics
    ///
    /// The vector has another dimension.
    pub(crate) fn apply(&self, values: &mut [f32]) {
        assert_eq!(values.len(), self.dim);
        for (round, flips) in self.flips.chunks_exact(self.dim).enumerate() {
            for (value, flip) in values.iter_mut().zip(flips) {
                *value *= flip;
            }
            let start = start(self.dim, self.window, round);
            self.kernel.hadamard(&mut values[start..][..self.window]);
            if round == CROSSING && self.window < self.dim {
                cross(values);
            }
        }
    }

    /// Undoes the rotation: each step is symmetric and the rotation keeps lengths, so the same
    /// steps in reverse order invert it.
    ///
    /// # Panics
    ///
    /// The vector has another dimension.
    pub(crate) fn undo(&self, values: &mut [f32]) {
        assert_eq!(values.len(), self.dim);
        for (round, flips) in self.flips.chunks_exact(self.dim).enumerate().rev() {
            if round == CROSSING && self.window < self.dim {
                cross(values);
            }
            let start = start(self.dim, self.window, round);
            self.kernel.hadamard(&mut values[start..][..self.window]);
            for (value, flip) in values.iter_mut().zip(flips) {
                *value *= flip;
            }
        }
    }
}

/// Random signs: 1 or -1.
fn signs(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words = std::iter::repeat_with(|| rng.next_u64()).take(count.div_ceil(64));
    let bits = words.flat_map(|word| (0..64).map(move |bit| word >> bit & 1));
    bits.take(count).map(|bit| if bit == 0 { 1.0 } else { -1.0 }).collect()
}

/// Scales a round so that it keeps lengths, which the sums of the window and the halves enlarge.
fn scale(flips: &mut [f32], window: usize, round: usize) {
    let dim = flips.len();
    let inside = start(dim, window, round)..start(dim, window, round) + window;
    let cross = if round == CROSSING && window < dim { 2.0 } else { 1.0 };
    for (place, flip) in flips.iter_mut().enumerate() {
        let grown = if inside.contains(&place) { cross * window as f64 } else { cross };
        *flip *= (1.0 / grown.sqrt()) as f32;
    }
}

/// The start of the window: it covers the first dimensions in even rounds, the last in odd ones.
fn start(dim: usize, window: usize, round: usize) -> usize {
    if round.is_multiple_of(2) { 0 } else { dim - window }
}

/// Replaces the halves by their sum and their difference.
fn cross(values: &mut [f32]) {
    let (left, right) = values.split_at_mut(values.len() / 2);
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (*left + *right, *left - *right);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    fn rotated(values: &[f32], seed: u64) -> Vec<f32> {
        let mut values = values.to_vec();
        Rotation::new(values.len(), seed).apply(&mut values);
        values
    }

    fn pairs() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let vector = |dim| prop::collection::vec(-1.0_f32..1.0, dim);
        (1..=128_usize).prop_flat_map(move |eighth| (vector(8 * eighth), vector(8 * eighth)))
    }

    proptest! {
        #[test]
        fn lengths_and_products_stay((a, b) in pairs(), seed in any::<u64>()) {
            let (ra, rb) = (rotated(&a, seed), rotated(&b, seed));
            let scale = product(&a, &a).sqrt() * product(&b, &b).sqrt();
            prop_assert!((product(&a, &b) - product(&ra, &rb)).abs() <= 1e-5 * scale);
            prop_assert!((product(&a, &a) - product(&ra, &ra)).abs() <= 1e-5 * product(&a, &a));
        }
    }

    proptest! {
        #[test]
        fn what_was_turned_is_turned_back((values, _) in pairs(), seed in any::<u64>()) {
            let mut back = rotated(&values, seed);
            Rotation::new(values.len(), seed).undo(&mut back);
            for (back, value) in back.iter().zip(&values) {
                prop_assert!((back - value).abs() <= 1e-5 * product(&values, &values).sqrt() as f32);
            }
        }
    }

    #[test]
    fn a_single_dimension_spreads_over_all() {
        for dim in [8, 24, 32, 40, 128, 384, 504, 768, 1016, 1024] {
            let rotation = Rotation::new(dim, 7);
            // Random directions have values near 1 / d^1/2, and hardly ever one of 6 times that.
            let bound = 6.0 / (dim as f32).sqrt();
            for place in 0..dim {
                let mut values = vec![0.0; dim];
                values[place] = 1.0;
                rotation.apply(&mut values);
                let largest =
                    values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
                assert!(largest < bound, "{largest} at {place} of {dim}");
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let ones = [1.0; 40];
        assert_eq!(rotated(&ones, 1), rotated(&ones, 1));
        assert_ne!(rotated(&ones, 1), rotated(&ones, 2));
    }

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut values: Vec<f32> = (0..40).map(|value| value as f32).collect();
        Rotation::new(40, 1).apply(&mut values);
        assert_eq!(values[..4], [1.789_211_3, -21.746_319, 10.663_581, -31.667_26]);
    }
}
