//! AdamW in one pass over memory, and the squared norm of a gradient.

use burn_flex::Flex;
use rayon::prelude::*;

use super::super::{AdamStep, AdamTable};
use super::loops::wide;
use super::operation::Table;

const PIECE: usize = 1 << 14;

/// Updates values by their gradient.
pub(super) fn adamw(table: AdamTable<Flex>, step: AdamStep) -> AdamTable<Flex> {
    let AdamTable { values, gradient, mean, square } = table;
    let [mut values, mut mean, mut square] = [values, mean, square].map(Table::of_tensor);
    let gradient = Table::of_tensor(gradient);
    let pieces = values.values_mut().par_chunks_mut(PIECE).zip(gradient.values().par_chunks(PIECE));
    let means =
        mean.values_mut().par_chunks_mut(PIECE).zip(square.values_mut().par_chunks_mut(PIECE));
    pieces.zip(means).for_each(|((values, gradient), (mean, square))| {
        wide(
            #[inline(always)]
            || piece(values, gradient, mean, square, step),
        );
    });
    AdamTable {
        values: values.into_tensor(),
        gradient: gradient.into_tensor(),
        mean: mean.into_tensor(),
        square: square.into_tensor(),
    }
}

#[inline(always)]
fn piece(
    values: &mut [f32],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
    step: AdamStep,
) {
    let AdamStep { rate, betas, epsilon, decay, scale, number } = step;
    let [first, second] = betas.map(|beta| 1.0 / (1.0 - beta.powi(number)));
    let each = values.iter_mut().zip(gradient).zip(mean.iter_mut().zip(square));
    for ((value, gradient), (mean, square)) in each {
        let gradient = gradient * scale;
        *mean = *mean * betas[0] + gradient * (1.0 - betas[0]);
        *square = *square * betas[1] + gradient * gradient * (1.0 - betas[1]);
        let length = (*square * second).sqrt() + epsilon;
        *value = *value * (1.0 - rate * decay) - *mean * first / length * rate;
    }
}

/// The sum of squares, always added in the same order.
pub(super) fn squares(table: &Table) -> f64 {
    let piece = |piece: &[f32]| {
        let mut sums = [0.0_f32; 16];
        wide(
            #[inline(always)]
            || piece.iter().enumerate().for_each(|(at, x)| sums[at % 16] += x * x),
        );
        sums.iter().map(|&sum| f64::from(sum)).sum()
    };
    let sums: Vec<f64> = table.values().par_chunks(PIECE).map(piece).collect();
    sums.iter().sum()
}
