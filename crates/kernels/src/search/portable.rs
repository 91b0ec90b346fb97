//! Everything in plain Rust: the fallback for CPUs without a specialised kernel, and the reference
//! that the other kernels are tested against.

use half::slice::HalfFloatSliceExt;

use super::f16;
use super::scan::{BLOCK, Scan};

/// Independent sums of a product.
pub(super) const LANES: usize = 16;

/// Whether the target CPU has a fused multiply-add instruction.
const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

pub(super) fn dots(vector: &[f32], rows: &[f32], scores: &mut [f32]) {
    assert_eq!(rows.len(), vector.len() * scores.len());
    for (score, row) in scores.iter_mut().zip(rows.chunks_exact(vector.len().max(1))) {
        *score = product(vector, row);
    }
}

pub(super) fn dots_half(vector: &[f32], rows: &[f16], scores: &mut [f32]) {
    assert_eq!(rows.len(), vector.len() * scores.len());
    let mut wide = vec![0.0; vector.len()];
    for (score, row) in scores.iter_mut().zip(rows.chunks_exact(vector.len().max(1))) {
        to_floats(row, &mut wide);
        *score = product(vector, &wide);
    }
}

/// Sums in lanes, then adds up the lanes by halves.
fn product(vector: &[f32], row: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let ((vectors, rest), (rows, rest_of_row)) = (vector.as_chunks(), row.as_chunks());
    for (vector, row) in vectors.iter().zip(rows) {
        add(&mut lanes, vector, row);
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(rest).zip(rest_of_row) {
        *lane = multiply_add(a, b, *lane);
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

#[inline(always)]
fn add(lanes: &mut [f32; LANES], vector: &[f32; LANES], row: &[f32; LANES]) {
    for lane in 0..LANES {
        lanes[lane] = multiply_add(vector[lane], row[lane], lanes[lane]);
    }
}

#[inline(always)]
fn multiply_add(a: f32, b: f32, sum: f32) -> f32 {
    if FUSED { a.mul_add(b, sum) } else { a * b + sum }
}

pub(super) fn best_rows(vectors: &[f32], dim: usize, rows: &[f16], best: &mut [(f32, u32)]) {
    assert!(dim > 0 && vectors.len() == dim * best.len() && rows.len().is_multiple_of(dim));
    let mut wide = vec![0.0; dim];
    for (row, values) in (0..).zip(rows.chunks_exact(dim)) {
        to_floats(values, &mut wide);
        for (best, vector) in best.iter_mut().zip(vectors.chunks_exact(dim)) {
            let score = product(vector, &wide);
            if score > best.0 {
                *best = (score, row);
            }
        }
    }
}

pub(super) fn to_floats(halves: &[f16], floats: &mut [f32]) {
    halves.convert_to_f32_slice(floats);
}

pub(super) fn to_halves(floats: &[f32], halves: &mut [f16]) {
    halves.convert_from_f32_slice(floats);
}

/// Adds and subtracts neighbours in ever larger blocks; compiled once for each kind of CPU.
#[inline(always)]
pub(super) fn hadamard(values: &mut [f32]) {
    assert!(values.len().is_power_of_two());
    let mut half = if values.len() < 8 { 1 } else { 8 };
    for eight in values.as_chunks_mut::<8>().0 {
        *eight = hadamard_of_8(*eight);
    }
    while half < values.len() {
        for block in values.chunks_exact_mut(2 * half) {
            let (left, right) = block.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        half *= 2;
    }
}

/// The same for 8 values at once, so that they stay in registers.
#[inline(always)]
fn hadamard_of_8([a, b, c, d, e, f, g, h]: [f32; 8]) -> [f32; 8] {
    let [a, b, c, d, e, f, g, h] = [a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h];
    let [a, b, c, d, e, f, g, h] = [a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h];
    [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h]
}

pub(super) fn scan(scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
    scan.check();
    scan.walk(found, |block, factors| {
        let mut sums = [0_u16; BLOCK];
        for (bytes, table) in block.as_chunks::<16>().0.iter().zip(scan.tables.as_chunks::<16>().0)
        {
            for (place, byte) in bytes.iter().enumerate() {
                sums[place] += u16::from(table[usize::from(byte & 15)]);
                sums[place + 16] += u16::from(table[usize::from(byte >> 4)]);
            }
        }
        let estimate =
            |at: usize| scan.base + factors[at] * (scan.step * f32::from(sums[at]) + scan.low);
        let estimates: [f32; BLOCK] = std::array::from_fn(estimate);
        let above = |mask: u32, (at, &estimate): (usize, &f32)| {
            mask | u32::from(estimate > scan.threshold) << at
        };
        (estimates.iter().enumerate().fold(0, above), estimates)
    });
}
