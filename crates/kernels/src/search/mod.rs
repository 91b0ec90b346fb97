//! Products of vectors and scans of codes, with the best instructions this CPU has.
//!
//! | kernel | the best rows of many vectors | codes |
//! |---|---|---|
//! | `Avx512` | 4 rows x 6 vectors x 16 dims a step | 32 codes x 16 dims a step |
//! | `Avx2` | 4 rows x 1 vector x 16 dims | 32 codes x 8 dims |
//! | `Portable` | 1 row x 1 vector x 16 dims | 32 codes x 4 dims |
//!
//! A product is summed in 16 lanes, which are then added up pairwise by halves. So a row has the
//! same score, bit by bit, whatever rows are computed with it, whether many rows are scored for one
//! vector or few for many, with AVX2 and with AVX-512. `Portable` differs in the last bits where
//! there is no fused multiply-add. Estimates from codes, halves and Hadamard transforms are the
//! same bits with every kernel.
//!
//! `unsafe` is used only in `x86/`. Each function has a twin in `portable.rs` that tests compare it
//! with.

mod portable;
mod scan;
#[cfg(test)]
mod tests;
mod x86;

pub use half::f16;

use crate::cpu;

pub use self::scan::{BLOCK, Scan};
use self::x86::{avx2, avx512};

/// The instructions of the kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust.
    Portable,
    /// AVX2, FMA and F16C.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl Kernel {
    /// The fastest kernel of this CPU.
    pub fn best() -> Self {
        if Kernel::Avx512.is_here() {
            Kernel::Avx512
        } else if Kernel::Avx2.is_here() {
            Kernel::Avx2
        } else {
            Kernel::Portable
        }
    }

    /// The kernels that this CPU can run.
    pub fn available() -> Vec<Self> {
        let all = [Self::Portable, Self::Avx2, Self::Avx512];
        all.into_iter().filter(|kernel| kernel.is_here()).collect()
    }

    /// Returns whether this CPU has the instructions.
    fn is_here(self) -> bool {
        match self {
            Kernel::Portable => true,
            Kernel::Avx2 => cpu::has_avx2(),
            Kernel::Avx512 => cpu::has_avx512(),
        }
    }

    /// The inner products of a vector with each of many rows of the same length.
    ///
    /// # Panics
    ///
    /// The rows are not as many as the scores, or not as long as the vector.
    pub fn dots(self, vector: &[f32], rows: &[f32], scores: &mut [f32]) {
        match self {
            Kernel::Portable => portable::dots(vector, rows, scores),
            Kernel::Avx2 => avx2::dots(vector, rows, scores),
            Kernel::Avx512 => avx512::dots(vector, rows, scores),
        }
    }

    /// The same with rows of halves.
    ///
    /// # Panics
    ///
    /// As [`dots`](Self::dots).
    pub fn dots_half(self, vector: &[f32], rows: &[f16], scores: &mut [f32]) {
        match self {
            Kernel::Portable => portable::dots_half(vector, rows, scores),
            Kernel::Avx2 => avx2::dots_half(vector, rows, scores),
            Kernel::Avx512 => avx512::dots_half(vector, rows, scores),
        }
    }

    /// For each vector the largest product with a row, and the first row that has it.
    ///
    /// Vectors and rows are consecutive, `dim` long. An entry of `best` is replaced only by a
    /// larger product; so without rows nothing changes, and a NaN product never counts.
    ///
    /// # Panics
    ///
    /// There are not as many vectors as `best`, or no whole number of rows, or `dim` is 0.
    pub fn best_rows(self, vectors: &[f32], dim: usize, rows: &[f16], best: &mut [(f32, u32)]) {
        if let [best] = best {
            return self.best_row(vectors, rows, best);
        }
        match self {
            Kernel::Portable => portable::best_rows(vectors, dim, rows, best),
            Kernel::Avx2 => avx2::best_rows(vectors, dim, rows, best),
            Kernel::Avx512 => avx512::best_rows(vectors, dim, rows, best),
        }
    }

    /// As `best_rows` for one vector, for which a widened copy of the rows does not pay.
    fn best_row(self, vector: &[f32], rows: &[f16], best: &mut (f32, u32)) {
        const TOGETHER: usize = 64;
        let mut scores = [0.0; TOGETHER];
        for (first, rows) in (0..).step_by(TOGETHER).zip(rows.chunks(TOGETHER * vector.len())) {
            let scores = &mut scores[..rows.len() / vector.len()];
            self.dots_half(vector, rows, scores);
            for (row, &score) in (first..).zip(&*scores) {
                if score > best.0 {
                    *best = (score, row);
                }
            }
        }
    }

    /// Prefetches memory that will be read soon, without waiting.
    ///
    /// It pays for the first few kilobytes of memory far from earlier reads; after that the CPU
    /// prefetches by itself.
    pub fn fetch<T>(self, values: &[T]) {
        if self != Kernel::Portable {
            x86::fetch(values);
        }
    }

    /// Converts halves to floats.
    ///
    /// # Panics
    ///
    /// The lengths differ.
    pub fn to_floats(self, halves: &[f16], floats: &mut [f32]) {
        match self {
            Kernel::Portable => portable::to_floats(halves, floats),
            Kernel::Avx2 => avx2::to_floats(halves, floats),
            Kernel::Avx512 => avx512::to_floats(halves, floats),
        }
    }

    /// Rounds to halves, to nearest even; larger values become infinite.
    ///
    /// # Panics
    ///
    /// The lengths differ.
    pub fn to_halves(self, floats: &[f32], halves: &mut [f16]) {
        match self {
            Kernel::Portable => portable::to_halves(floats, halves),
            Kernel::Avx2 => avx2::to_halves(floats, halves),
            Kernel::Avx512 => avx512::to_halves(floats, halves),
        }
    }

    /// Multiplies with the Hadamard matrix of the size of `values`, a power of two.
    ///
    /// The matrix holds 1 and -1: lengths grow by the square root of the number of values.
    ///
    /// # Panics
    ///
    /// The number of values is not a power of two.
    pub fn hadamard(self, values: &mut [f32]) {
        match self {
            Kernel::Portable => portable::hadamard(values),
            Kernel::Avx2 => avx2::hadamard(values),
            Kernel::Avx512 => avx512::hadamard(values),
        }
    }

    /// Pushes the estimate and the place of every code whose estimate is above the threshold.
    ///
    /// # Panics
    ///
    /// A table, a block or a factor is missing, or the sum of 16 bits could overflow.
    pub fn scan(self, scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
        match self {
            Kernel::Portable => portable::scan(scan, found),
            Kernel::Avx2 => avx2::scan(scan, found),
            Kernel::Avx512 => avx512::scan(scan, found),
        }
    }
}
