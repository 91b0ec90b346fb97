//! GELU with an erf that the compiler can vectorise.
//!
//! erf is formula 7.1.26 of Abramowitz and Stegun, with an error of at most 1.5e-7.

use rayon::prelude::*;

use super::loops::{each, exp, wide};
use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct Gelu;

impl Operation<1> for Gelu {
    type Kept = Table;

    fn forward(&self, [x]: [Table; 1]) -> (Table, Table) {
        let mut y = x.values().to_vec();
        each(&mut y, |_, value| *value *= normal(*value).0);
        (Table::new(y, x.rows()), x)
    }

    fn backward(&self, x: Table, mut gradient: Table, _: [bool; 1]) -> [Option<Table>; 1] {
        let rows = gradient.values_mut().par_chunks_mut(4096).zip(x.values().par_chunks(4096));
        rows.for_each(|(gradient, x)| {
            wide(
                #[inline(always)]
                || {
                    for (gradient, x) in gradient.iter_mut().zip(x) {
                        let (share, density) = normal(*x);
                        *gradient *= x.mul_add(density, share);
                    }
                },
            );
        });
        [Some(gradient)]
    }
}

/// The normal distribution: the cumulative probability at x, and the density.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    const FACTORS: [f32; 4] = [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2).mul_add(x.abs(), 1.0);
    let mut sum = 1.061_405_4_f32;
    for factor in FACTORS {
        sum = sum.mul_add(t, factor);
    }
    let tail = 0.5 * sum * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, 0.398_942_3 * bell)
}
