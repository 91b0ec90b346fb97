//! The layer norm of a sum, in one pass over memory in each direction.
//!
//! With x̂ = (x - mean)/σ and y = x̂ w + b, the gradient is dx = (g - mean(g) - x̂ mean(g x̂))/σ
//! for g = dy w.

use rayon::prelude::*;

use super::loops::{sum_in_order, wide};
use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct SumNorm {
    pub(super) epsilon: f32,
}

/// The normalised values, one over the deviation of each row, and the weight.
type Kept = (Table, Vec<f32>, Table);

impl Operation<4> for SumNorm {
    type Kept = Kept;

    fn forward(&self, [x, residual, weight, bias]: [Table; 4]) -> (Table, Kept) {
        let (rows, columns) = (x.rows(), x.columns());
        let mut normal = vec![0.0; rows * columns];
        let mut output = vec![0.0; rows * columns];
        let mut scales = vec![0.0; rows];
        let each = (normal.par_chunks_mut(columns).zip(output.par_chunks_mut(columns)))
            .zip(scales.par_iter_mut().zip(x.values().par_chunks(columns)))
            .zip(residual.values().par_chunks(columns))
            .with_min_len(16);
        let (weight_row, bias_row) = (weight.values(), bias.values());
        each.for_each(|(((normal, output), (scale, x)), residual)| {
            wide(
                #[inline(always)]
                || {
                    let mut sums = [0.0_f32; 16];
                    for (at, ((normal, x), r)) in normal.iter_mut().zip(x).zip(residual).enumerate()
                    {
                        *normal = x + r;
                        sums[at % 16] += *normal;
                    }
                    let mean = sums.iter().sum::<f32>() / columns as f32;
                    let mut squares = [0.0_f32; 16];
                    for (at, normal) in normal.iter_mut().enumerate() {
                        *normal -= mean;
                        squares[at % 16] += *normal * *normal;
                    }
                    let variance = squares.iter().sum::<f32>() / columns as f32;
                    *scale = 1.0 / (variance + self.epsilon).sqrt();
                    for (at, normal) in normal.iter_mut().enumerate() {
                        *normal *= *scale;
                        output[at] = normal.mul_add(weight_row[at], bias_row[at]);
                    }
                },
            );
        });
        (Table::new(output, rows), (Table::new(normal, rows), scales, weight))
    }

    fn backward(
        &self,
        (normal, scales, weight): Kept,
        gradient: Table,
        wanted: [bool; 4],
    ) -> [Option<Table>; 4] {
        let (rows, columns) = (gradient.rows(), gradient.columns());
        let (weight, normals, gradients) = (weight.values(), normal.values(), gradient.values());
        let mut dx = vec![0.0; rows * columns];
        let each = (dx.par_chunks_mut(columns).zip(scales.par_iter()))
            .zip(normals.par_chunks(columns).zip(gradients.par_chunks(columns)))
            .with_min_len(16);
        each.for_each(|((dx, scale), (normal, gradient))| {
            wide(
                #[inline(always)]
                || row_back(dx, (normal, gradient), weight, *scale),
            );
        });
        let both = sum_in_order(rows, 2 * columns, |row, sums| {
            wide(
                #[inline(always)]
                || {
                    let (for_weight, for_bias) = sums.split_at_mut(columns);
                    let span = row * columns..(row + 1) * columns;
                    let (normal, gradient) = (&normals[span.clone()], &gradients[span]);
                    for at in 0..columns {
                        for_weight[at] += gradient[at] * normal[at];
                        for_bias[at] += gradient[at];
                    }
                },
            );
        });
        let dx = Table::new(dx, rows);
        let part = |part: usize| Table::new(both[part * columns..][..columns].to_vec(), 1);
        [
            wanted[0].then(|| dx.clone()),
            wanted[1].then_some(dx),
            wanted[2].then(|| part(0)),
            wanted[3].then(|| part(1)),
        ]
    }
}

#[inline(always)]
fn row_back(dx: &mut [f32], (normal, gradient): (&[f32], &[f32]), weight: &[f32], scale: f32) {
    let (mut plain, mut along) = ([0.0_f32; 16], [0.0_f32; 16]);
    for at in 0..dx.len() {
        let g = gradient[at] * weight[at];
        dx[at] = g;
        plain[at % 16] += g;
        along[at % 16] += g * normal[at];
    }
    let count = dx.len() as f32;
    let plain = plain.iter().sum::<f32>() / count;
    let along = along.iter().sum::<f32>() / count;
    for (dx, normal) in dx.iter_mut().zip(normal) {
        *dx = (*dx - plain - normal * along) * scale;
    }
}
