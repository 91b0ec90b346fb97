//! Products in plain Rust: the fallback for CPUs without a specialised kernel, and the reference
//! that the other kernels are tested against.

use super::lines::{Pair, PanelLine, Product, WIDTH, parts};
use super::vector::{self, FUSED, multiply_add};
use super::{Norm, Rows};

/// Rows that are multiplied together; their sums stay in registers.
const ROWS: usize = 4;

/// A number type that is multiplied, and summed in f32.
pub(super) trait Element: Copy + Default {
    fn multiply_add(self, other: Self, sum: f32) -> f32;
}

impl Element for f32 {
    #[inline(always)]
    fn multiply_add(self, other: Self, sum: f32) -> f32 {
        multiply_add::<FUSED>(self, other, sum)
    }
}

impl Element for Pair {
    #[inline(always)]
    fn multiply_add(self, other: Self, sum: f32) -> f32 {
        let ((a, b), (c, d)) = (self.values(), other.values());
        multiply_add::<FUSED>(b, d, multiply_add::<FUSED>(a, c, sum))
    }
}

pub(super) fn multiply<T: Element>(product: &mut Product<'_, T>) {
    let Product { left, left_stride, depth, output_stride, .. } = *product;
    for (panel, lines) in product.lines.chunks_exact(depth).enumerate() {
        let bias: &[f32; WIDTH] =
            product.bias[panel * WIDTH..].first_chunk().expect("a bias for each column");
        let columns = WIDTH.min(product.columns - panel * WIDTH);
        for (start, count) in parts(product.rows, ROWS) {
            let rows = &left[start * left_stride..];
            let sums = match count {
                1 => sums::<T, 1>(rows, left_stride, lines, bias),
                2 => sums::<T, 2>(rows, left_stride, lines, bias),
                3 => sums::<T, 3>(rows, left_stride, lines, bias),
                _ => sums::<T, ROWS>(rows, left_stride, lines, bias),
            };
            for (row, sums) in sums.iter().enumerate().take(count) {
                let output = &mut product.output[(start + row) * output_stride + panel * WIDTH..];
                output[..columns].copy_from_slice(&sums[..columns]);
            }
        }
    }
}

#[inline(always)]
fn sums<T: Element, const R: usize>(
    left: &[T],
    stride: usize,
    lines: &[PanelLine<T>],
    bias: &[f32; WIDTH],
) -> [[f32; WIDTH]; ROWS] {
    let rows: [&[T]; R] = std::array::from_fn(|row| &left[row * stride..][..lines.len()]);
    let mut sums = [*bias; R];
    for (step, line) in lines.iter().enumerate() {
        for (row, sums) in rows.iter().zip(&mut sums) {
            for (sum, &column) in sums.iter_mut().zip(&line.0) {
                *sum = row[step].multiply_add(column, *sum);
            }
        }
    }
    std::array::from_fn(|row| if row < R { sums[row] } else { [0.0; WIDTH] })
}

/// Converts a row to pairs; the last one may be padded with zero.
pub(super) fn to_pairs(row: &[f32], pairs: &mut [Pair]) {
    let mut row = row.iter().copied();
    for pair in pairs {
        *pair = Pair::new(row.next().unwrap_or(0.0), row.next().unwrap_or(0.0));
    }
}

pub(super) fn transpose<T: Element>(
    rows: &[T],
    stride: usize,
    count: usize,
    lines: &mut [PanelLine<T>],
) {
    for column in 0..count {
        let row = &rows[column * stride..][..lines.len()];
        lines.iter_mut().zip(row).for_each(|(line, &value)| line.0[column] = value);
    }
}

pub(super) fn interleave(rows: Rows<'_>, lines: &mut [PanelLine<Pair>]) {
    let zeros = [0.0; WIDTH];
    for (step, line) in lines.iter_mut().enumerate().take(rows.count.div_ceil(2)) {
        let second = if 2 * step + 1 < rows.count { rows.row(2 * step + 1) } else { &zeros };
        let both = rows.row(2 * step).iter().zip(second);
        line.0.iter_mut().zip(both).for_each(|(pair, (&a, &b))| *pair = Pair::new(a, b));
    }
}

pub(super) fn gelu(values: &mut [f32]) {
    vector::gelu::<FUSED>(values);
}

pub(super) fn gelu_tanh(values: &mut [f32]) {
    vector::gelu_tanh::<FUSED>(values);
}

pub(super) fn softmax(scores: &mut [f32], scale: f32) -> f32 {
    vector::softmax::<FUSED>(scores, scale)
}

pub(super) fn layer_norm(values: &mut [f32], added: &[f32], norm: &Norm) {
    vector::layer_norm::<FUSED>(values, added, norm);
}
