//! The operations between products, in plain Rust that the compiler vectorises.
//!
//! No function branches on its values, and each sums in [`LANES`] accumulators. Each is compiled
//! once for each kind of CPU, where `FUSED` states whether a multiplication and an addition are one
//! instruction there.

use super::Norm;

/// Whether the target CPU has a fused multiply-add instruction.
pub(super) const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// Independent sums, so that one register or several can hold them.
const LANES: usize = 32;

#[inline(always)]
pub(super) fn multiply_add<const FUSED: bool>(a: f32, b: f32, sum: f32) -> f32 {
    if FUSED { a.mul_add(b, sum) } else { a * b + sum }
}

/// Evaluates a polynomial, coefficients from the highest (Horner).
#[inline(always)]
fn polynomial<const FUSED: bool>(x: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().fold(0.0, |sum, &coefficient| multiply_add::<FUSED>(sum, x, coefficient))
}

/// 2 to the power of x, to 2 units in the last place; x is clamped to -126..127.
#[inline(always)]
fn exp2<const FUSED: bool>(x: f32) -> f32 {
    // Adding it moves the nearest integer into the low bits.
    const ROUND: f32 = 12_582_912.0;
    // A minimax polynomial for 2^x between -1/2 and 1/2, by relative error.
    const NEAR: [f32; 6] =
        [0.001_327_647_1, 0.009_675_541, 0.055_507_13, 0.240_221_2, 0.693_146_94, 1.000_000_1];
    let x = x.clamp(-126.0, 127.0);
    let shifted = x + ROUND;
    let near = polynomial::<FUSED>(x - (shifted - ROUND), &NEAR);
    near * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// The error function to 2e-7: a minimax rational function.
#[inline(always)]
fn erf<const FUSED: bool>(x: f32) -> f32 {
    const ABOVE: [f32; 6] = [
        1.974_845_9e-6,
        2.880_411e-4,
        4.003_600_7e-3,
        0.053_467_333,
        0.196_247_83,
        std::f32::consts::FRAC_2_SQRT_PI,
    ];
    const BELOW: [f32; 6] =
        [3.748_101e-5, 1.216_350_5e-3, 0.015_444_328, 0.116_475_955, 0.507_251_26, 1.0];
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    x * polynomial::<FUSED>(square, &ABOVE) / polynomial::<FUSED>(square, &BELOW)
}

#[inline(always)]
pub(super) fn gelu<const FUSED: bool>(values: &mut [f32]) {
    for value in values {
        let half = 0.5 * *value;
        let erf = erf::<FUSED>(*value * std::f32::consts::FRAC_1_SQRT_2);
        *value = multiply_add::<FUSED>(half, erf, half);
    }
}

#[inline(always)]
pub(super) fn gelu_tanh<const FUSED: bool>(values: &mut [f32]) {
    // the square root of 2/pi, doubled since tanh u = 1 - 2 / (1 + exp 2u), for powers of 2
    const SLOPE: f32 = 1.595_769 * std::f32::consts::LOG2_E;
    for value in values {
        let x = *value;
        let cube = multiply_add::<FUSED>(0.044_715 * x * x, x, x);
        *value = x - x / (1.0 + exp2::<FUSED>(SLOPE * cube));
    }
}

#[inline(always)]
pub(super) fn softmax<const FUSED: bool>(scores: &mut [f32], scale: f32) -> f32 {
    let greatest = fold(scores, f32::NEG_INFINITY, f32::max, f32::max);
    let scale = scale * std::f32::consts::LOG2_E;
    let mut sums = [0.0; LANES];
    let (whole, rest) = scores.as_chunks_mut::<LANES>();
    let parts = whole.iter_mut().map(<[f32; LANES]>::as_mut_slice).chain([rest]);
    for part in parts {
        for (sum, score) in sums.iter_mut().zip(part) {
            *score = exp2::<FUSED>((*score - greatest) * scale);
            *sum += *score;
        }
    }
    join(sums, |a, b| a + b)
}

#[inline(always)]
pub(super) fn layer_norm<const FUSED: bool>(values: &mut [f32], added: &[f32], norm: &Norm) {
    for (value, added) in values.iter_mut().zip(added) {
        *value += added;
    }
    let (count, add) = (values.len() as f32, |a, b| a + b);
    let mean = fold(values, 0.0, add, add) / count;
    let square = |sum, value| multiply_add::<FUSED>(value - mean, value - mean, sum);
    let variance = fold(values, 0.0, square, add) / count;
    let scale = 1.0 / (variance + norm.epsilon).sqrt();
    for ((value, weight), shift) in values.iter_mut().zip(&norm.scale).zip(&norm.shift) {
        *value = multiply_add::<FUSED>((*value - mean) * scale, *weight, *shift);
    }
}

/// Folds values into lanes, then folds the lanes.
#[inline(always)]
fn fold(
    values: &[f32],
    start: f32,
    take: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = take(*lane, value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = take(*lane, value);
    }
    self::join(lanes, join)
}

/// Folds lanes by halves.
#[inline(always)]
fn join(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}
