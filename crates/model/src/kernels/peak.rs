//! How fast this CPU can multiply at best: the yardstick for a whole forward pass.

use std::time::Instant;

use super::{Kernel, Left, Output, Panels, Precision, Rows};

/// Measures the multiplications and additions per second of one core, on numbers that are at hand.
///
/// It takes the best of several products that fit the nearest caches, which leaves out memory and
/// everything between products. `None` when the CPU lacks the instructions. About 0.1 s.
pub fn peak(precision: Precision) -> Option<f64> {
    let kernel = Kernel::choose(precision)?;
    let (rows, columns, depth) = (32, 96, 512);
    let panels = Panels::of_weights(kernel, &vec![0.5; columns * depth], &vec![0.0; columns]);
    let (left, mut output) = (vec![0.5; rows * depth], vec![0.0; rows * columns]);
    let mut buffer = Left::default();
    let operations = (2 * rows * columns * depth) as f64;
    let best = (0..400).map(|_| {
        let start = Instant::now();
        let mut output = Output::all(&mut output, columns);
        panels.multiply(Rows::all(&left, depth), &mut buffer, &mut output);
        operations / start.elapsed().as_secs_f64()
    });
    best.reduce(f64::max)
}
