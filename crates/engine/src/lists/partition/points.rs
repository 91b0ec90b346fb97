//! Centroids of one level, and the search for the nearest one.
//!
//! The `c` nearest to `v` has the largest `<v, c> - |c|^2 / 2`. That is one product when each row
//! is followed by its half square, and each vector by -1, so the product kernel finds the nearest
//! row. Rows are halves; a half square is two of them: the second one holds the rounding error of
//! the first.

use std::ops::Range;

use fastlane_kernels::search::{Kernel, f16};

/// Rows are filled up with zeros to a multiple of this.
const LANES: usize = 16;

/// The largest half square is scaled to about 2 to this power.
const EXPONENT: f32 = 14.0;

/// Rows of values that fit in halves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Points {
    dim: usize,
    values: Vec<f32>,
    /// Each row as halves, its half square in units of `unit`, and zeros.
    wide: Vec<f16>,
    unit: f32,
}

impl Points {
    /// The initial value of a search for the nearest row.
    pub(super) const NONE: (f32, u32) = (f32::NEG_INFINITY, 0);

    /// Rounds each value to the nearest half, clamped to the largest.
    pub(super) fn rounded(dim: usize, mut values: Vec<f32>) -> Self {
        for value in &mut values {
            *value = f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32())).to_f32();
        }
        Self::new(dim, values)
    }

    /// Takes values that are halves already.
    pub(super) fn new(dim: usize, values: Vec<f32>) -> Self {
        let half_squares = values.chunks_exact(dim).map(|row| square(row) / 2.0);
        let largest = half_squares.clone().fold(1e-20_f32, f32::max);
        let unit = (largest.log2().floor() - EXPONENT).exp2();
        let width = width(dim);
        let mut wide = vec![f16::ZERO; half_squares.len() * width];
        let rows = wide.chunks_exact_mut(width).zip(values.chunks_exact(dim));
        for ((wide, row), half_square) in rows.zip(half_squares) {
            Kernel::best().to_halves(row, &mut wide[..dim]);
            wide[dim] = f16::from_f32(half_square / unit);
            wide[dim + 1] = f16::from_f32(half_square / unit - wide[dim].to_f32());
        }
        Self { dim, values, wide, unit }
    }

    /// The dimension of a row.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Returns all values, row after row.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns a row.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..][..self.dim]
    }

    /// Appends a view in the format for nearest-row products.
    pub(super) fn widen(&self, view: &[f32], wide: &mut Vec<f32>) {
        let end = wide.len() + width(self.dim);
        wide.extend_from_slice(view);
        wide.extend([-self.unit, -self.unit]);
        wide.resize(end, 0.0);
    }

    /// Appends a query in the format for plain products with the rows.
    pub(super) fn widen_query(&self, query: &[f32], wide: &mut Vec<f32>) {
        let end = wide.len() + width(self.dim);
        wide.extend_from_slice(query);
        wide.resize(end, 0.0);
    }

    /// The products of one wide vector with some rows.
    pub(super) fn products(&self, rows: Range<usize>, wide: &[f32], scores: &mut Vec<f32>) {
        scores.resize(rows.len(), 0.0);
        Kernel::best().dots_half(wide, self.halves(rows), scores);
    }

    /// The row with the largest product for each wide vector, the first of equal ones.
    pub(super) fn best(&self, rows: Range<usize>, wide: &[f32], found: &mut Vec<(f32, u32)>) {
        let width = width(self.dim);
        found.clear();
        found.resize(wide.len() / width, Self::NONE);
        Kernel::best().best_rows(wide, width, self.halves(rows.clone()), found);
        found.iter_mut().for_each(|found| found.1 += rows.start as u32);
    }

    fn halves(&self, rows: Range<usize>) -> &[f16] {
        &self.wide[rows.start * width(self.dim)..rows.end * width(self.dim)]
    }
}

/// The width of a row with its half square and zeros.
fn width(dim: usize) -> usize {
    (dim + 2).next_multiple_of(LANES)
}

/// The square of a vector's length.
pub(super) fn square(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum()
}
