//! Measures the peak arithmetic rate of this CPU, the upper bound of a forward pass.

use std::time::{Duration, Instant};

use super::{Kernel, Output, PackedRows, Panels, Precision, Rows};

/// Rows, columns and depth of products that fit the caches: few rows suit registers, many suit
/// tiles.
const SHAPES: [(usize, usize, usize); 3] = [(32, 96, 512), (128, 384, 384), (128, 1152, 384)];
/// The duration of each trial.
const TRIAL: Duration = Duration::from_millis(50);

/// Measures the multiplications and additions per second of one core, on data in the cache.
///
/// It takes the best of repeated products of several shapes, so memory and everything between
/// products is excluded. `None` when the CPU lacks the instructions. Takes about 0.2 s.
pub fn peak(precision: Precision) -> Option<f64> {
    let kernel = Kernel::choose(precision)?;
    SHAPES.into_iter().map(|shape| best(kernel, shape)).reduce(f64::max)
}

fn best(kernel: Kernel, (rows, columns, depth): (usize, usize, usize)) -> f64 {
    let panels = Panels::of_weights(kernel, &vec![0.5; columns * depth], &vec![0.0; columns]);
    let (left, mut output) = (vec![0.5; rows * depth], vec![0.0; rows * columns]);
    let mut buffer = PackedRows::default();
    let mut multiply = || {
        let start = Instant::now();
        let mut output = Output::all(&mut output, columns);
        panels.multiply(Rows::all(&left, depth), &mut buffer, &mut output);
        start.elapsed()
    };
    let end = Instant::now() + TRIAL;
    let mut fastest = multiply();
    while Instant::now() < end {
        fastest = fastest.min(multiply());
    }
    (2 * rows * columns * depth) as f64 / fastest.as_secs_f64()
}
