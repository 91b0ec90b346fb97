//! Rows that a partition is learned from, and draws among them.

use std::sync::atomic::{AtomicBool, Ordering};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

/// Two rows are the same when the square of their distance is below this share of their own
/// squares: they would be the same centroid, or nearly, once it is rounded to halves.
pub(super) const SAME: f32 = 1e-6;

/// The rows to learn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample<'a> {
    pub(super) dim: usize,
    pub(super) values: &'a [f32],
    /// Set when the training shall end soon, with whatever it has.
    pub(super) stop: &'a AtomicBool,
}

impl<'a> Sample<'a> {
    /// Whether the training shall end.
    pub(super) fn is_stopped(self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Counts the rows.
    pub(super) fn len(self) -> usize {
        self.values.len() / self.dim
    }

    /// Shows a row.
    pub(super) fn row(self, row: usize) -> &'a [f32] {
        &self.values[row * self.dim..][..self.dim]
    }
}

/// A place drawn with the weights given; none when all are 0.
pub(super) fn drawn(weights: &[f32], rng: &mut ChaCha8Rng) -> Option<usize> {
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    let mut left = total * (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut last = None;
    for (place, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        last = Some(place);
        left -= f64::from(weight);
        if left < 0.0 {
            break;
        }
    }
    last
}
