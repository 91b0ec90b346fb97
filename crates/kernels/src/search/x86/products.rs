//! Products of vectors with rows, generic over registers of 16 lanes.
//!
//! All functions are `unsafe` and inlined into a function that enables the instructions: the caller
//! is such a function, and has checked the lengths.

use std::arch::x86_64::*;

use super::super::f16;
use super::super::portable::LANES;

/// Rows that are multiplied together.
const ROWS: usize = 4;

/// The longest row that is widened once for all vectors.
const LONGEST: usize = 1040;

/// 16 lanes of f32, in one register or two.
///
/// # Safety
///
/// The CPU has the instructions, and there are 16 values, or as many as a count says, where a
/// pointer points.
pub(super) trait Lanes: Copy {
    unsafe fn zero() -> Self;
    unsafe fn load(values: *const f32) -> Self;
    unsafe fn widen(halves: *const f16) -> Self;
    /// Loads fewer than 16 values, and zeros behind them.
    unsafe fn load_part(values: *const f32, count: usize) -> Self;
    /// The same of halves.
    unsafe fn widen_part(halves: *const f16, count: usize) -> Self;
    unsafe fn store(self, values: *mut f32);
    /// `self * other + sum` with one rounding.
    unsafe fn multiply_add(self, other: Self, sum: Self) -> Self;
    /// Adds up the lanes of each of four by halves.
    unsafe fn add_up(four: [Self; 4]) -> [f32; 4];
}

/// The element type of rows.
///
/// # Safety
///
/// As [`Lanes`].
pub(super) trait Element: Copy {
    unsafe fn load<L: Lanes>(values: *const Self) -> L;
    unsafe fn load_part<L: Lanes>(values: *const Self, count: usize) -> L;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(values: *const f32) -> L {
        // SAFETY: the caller guarantees it.
        unsafe { L::load(values) }
    }

    #[inline(always)]
    unsafe fn load_part<L: Lanes>(values: *const f32, count: usize) -> L {
        // SAFETY: the caller guarantees it.
        unsafe { L::load_part(values, count) }
    }
}

impl Element for f16 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(values: *const f16) -> L {
        // SAFETY: the caller guarantees it.
        unsafe { L::widen(values) }
    }

    #[inline(always)]
    unsafe fn load_part<L: Lanes>(values: *const f16, count: usize) -> L {
        // SAFETY: the caller guarantees it.
        unsafe { L::widen_part(values, count) }
    }
}

/// The products of one vector with all rows.
///
/// Each row is read from start to end before the next one, because the CPU prefetches no more than
/// one stream well. Two interleaved rows, or prefetch instructions, were slower by up to a half.
///
/// # Safety
///
/// The CPU has the instructions, and there is a row as long as the vector for each score.
#[inline(always)]
pub(super) unsafe fn dots<L: Lanes, T: Element>(vector: &[f32], rows: &[T], scores: &mut [f32]) {
    let mut row = rows.as_ptr();
    let (fours, rest) = scores.as_chunks_mut::<ROWS>();
    // SAFETY: the caller guarantees four rows for every four scores and one for each of the rest.
    unsafe {
        for four in fours {
            let mut sums = [L::zero(); ROWS];
            for sum in &mut sums {
                *sum = lanes(vector, row);
                row = row.add(vector.len());
            }
            *four = L::add_up(sums);
        }
        for score in rest {
            *score = one::<L, T>(vector, row);
            row = row.add(vector.len());
        }
    }
}

/// The product of a vector with one row.
///
/// # Safety
///
/// The CPU has the instructions, and the row is as long as the vector.
#[inline(always)]
unsafe fn one<L: Lanes, T: Element>(vector: &[f32], row: *const T) -> f32 {
    // SAFETY: the caller guarantees it.
    unsafe { L::add_up([lanes(vector, row), L::zero(), L::zero(), L::zero()])[0] }
}

/// The product of a vector with one row, lane by lane.
///
/// # Safety
///
/// The CPU has the instructions, and the row is as long as the vector.
#[inline(always)]
unsafe fn lanes<L: Lanes, T: Element>(vector: &[f32], row: *const T) -> L {
    let (dim, whole) = (vector.len(), vector.len() / LANES * LANES);
    // SAFETY: every load begins `at` values into the vector or the row and ends within it.
    unsafe {
        let mut sum = L::zero();
        for at in (0..whole).step_by(LANES) {
            sum = L::load(vector.as_ptr().add(at)).multiply_add(T::load(row.add(at)), sum);
        }
        if whole < dim {
            let part = L::load_part(vector.as_ptr().add(whole), dim - whole);
            sum = part.multiply_add(T::load_part(row.add(whole), dim - whole), sum);
        }
        sum
    }
}

/// A few rows, widened and padded with zeros to whole lanes, to be multiplied with all vectors.
#[repr(align(64))]
struct Tile([f32; ROWS * LONGEST]);

/// The largest product of each vector, `V` vectors at a time.
///
/// # Safety
///
/// The CPU has the instructions; there are as many vectors as `best`, and whole rows, all `dim`
/// long, which is not 0.
#[inline(always)]
pub(super) unsafe fn best_rows<L: Lanes, const V: usize>(
    vectors: &[f32],
    dim: usize,
    rows: &[f16],
    best: &mut [(f32, u32)],
) {
    if dim > LONGEST {
        // SAFETY: the caller guarantees it.
        return unsafe { best_of_long_rows::<L>(vectors, dim, rows, best) };
    }
    let mut tile = Tile([0.0; ROWS * LONGEST]);
    for (first, rows) in (0..).step_by(ROWS).zip(rows.chunks(ROWS * dim)) {
        let count = rows.len() / dim;
        let (groups, rest) = best.as_chunks_mut::<V>();
        let mut vector = vectors.as_ptr();
        // SAFETY: `count` rows are in the chunk and fit the tile; the caller guarantees `V` vectors
        // for every group and one for each of the rest.
        unsafe {
            fill::<L>(&mut tile, rows.as_ptr(), dim, count);
            for group in groups {
                let scores = tile_products::<L, V>(&tile, vector, dim);
                keep_best(&scores, first, count, group);
                vector = vector.add(V * dim);
            }
            for one in rest {
                let scores = tile_products::<L, 1>(&tile, vector, dim);
                keep_best(&scores, first, count, std::array::from_mut(one));
                vector = vector.add(dim);
            }
        }
    }
}

/// # Safety
///
/// The CPU has the instructions, and there are `count` rows, at most 4 of at most 1024 values.
#[inline(always)]
unsafe fn fill<L: Lanes>(tile: &mut Tile, rows: *const f16, dim: usize, count: usize) {
    let whole = dim / LANES * LANES;
    for row in 0..count {
        // SAFETY: every load begins `at` values into a row and ends within it; every store is
        // within the row's share of the tile.
        unsafe {
            let (row, line) = (rows.add(row * dim), tile.0.as_mut_ptr().add(row * LONGEST));
            for at in (0..whole).step_by(LANES) {
                L::widen(row.add(at)).store(line.add(at));
            }
            if whole < dim {
                L::widen_part(row.add(whole), dim - whole).store(line.add(whole));
            }
        }
    }
}

/// The products of `V` vectors with the rows of a tile.
///
/// # Safety
///
/// The CPU has the instructions, and there are `V` vectors of `dim` values, at most 1024.
#[inline(always)]
unsafe fn tile_products<L: Lanes, const V: usize>(
    tile: &Tile,
    vectors: *const f32,
    dim: usize,
) -> [[f32; ROWS]; V] {
    let whole = dim / LANES * LANES;
    let tile = tile.0.as_ptr();
    // SAFETY: every load begins `at` values into a vector and ends within it, and a row of the
    // tile has whole lanes.
    unsafe {
        let mut sums = [[L::zero(); ROWS]; V];
        for at in (0..whole).step_by(LANES) {
            let mut rows = [L::zero(); ROWS];
            for (row, lanes) in rows.iter_mut().enumerate() {
                *lanes = L::load(tile.add(row * LONGEST + at));
            }
            for (vector, sums) in sums.iter_mut().enumerate() {
                let values = L::load(vectors.add(vector * dim + at));
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum = values.multiply_add(row, *sum);
                }
            }
        }
        if whole < dim {
            for (vector, sums) in sums.iter_mut().enumerate() {
                let part = L::load_part(vectors.add(vector * dim + whole), dim - whole);
                for (row, sum) in sums.iter_mut().enumerate() {
                    *sum = part.multiply_add(L::load(tile.add(row * LONGEST + whole)), *sum);
                }
            }
        }
        let mut scores = [[0.0; ROWS]; V];
        for (scores, sums) in scores.iter_mut().zip(sums) {
            *scores = L::add_up(sums);
        }
        scores
    }
}

/// Keeps the largest score of each vector, and the first row that has it.
#[inline(always)]
fn keep_best<const V: usize>(
    scores: &[[f32; ROWS]; V],
    first: u32,
    count: usize,
    best: &mut [(f32, u32); V],
) {
    for (best, scores) in best.iter_mut().zip(scores) {
        for (row, &score) in (first..).zip(&scores[..count]) {
            if score > best.0 {
                *best = (score, row);
            }
        }
    }
}

/// # Safety
///
/// As [`best_rows`].
#[inline(always)]
unsafe fn best_of_long_rows<L: Lanes>(
    vectors: &[f32],
    dim: usize,
    rows: &[f16],
    best: &mut [(f32, u32)],
) {
    for (best, vector) in best.iter_mut().zip(vectors.chunks_exact(dim)) {
        for (row, values) in (0..).zip(rows.chunks_exact(dim)) {
            // SAFETY: the row is `dim` long, as is the vector.
            let score = unsafe { one::<L, f16>(vector, values.as_ptr()) };
            if score > best.0 {
                *best = (score, row);
            }
        }
    }
}

/// Adds up the lanes of four registers of 8 by halves.
#[inline]
#[target_feature(enable = "avx")]
pub(super) fn add_up_eights(four: [__m256; 4]) -> [f32; 4] {
    let mut fours = [_mm_setzero_ps(); 4];
    for (four, eight) in fours.iter_mut().zip(four) {
        *four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
    }
    let [a, b, c, d] = fours;
    // a0 + a2, b0 + b2, a1 + a3, b1 + b3, and the same of c and d
    let left = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    let right = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    let sums = _mm_add_ps(_mm_movelh_ps(left, right), _mm_movehl_ps(right, left));
    let mut scores = [0.0; 4];
    // SAFETY: a register of four f32 goes into four f32.
    unsafe { _mm_storeu_ps(scores.as_mut_ptr(), sums) };
    scores
}
