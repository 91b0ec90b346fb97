//! Scalar quantisation of a row: one scale, and one level per value.
//!
//! Level l stands for `scale * point(l)`, where `point(l) = t (1 + bend t²)` for t = l - middle.
//! Levels are denser where a normal distribution has more values. It is a formula instead of a
//! table, so that compilers turn it into a few instructions for many values.

use half::bf16;

use fastlane_kernels::search::f16;

/// The size of a scale in bytes. A scale has the range of f32, so no view is too long or too short.
const SCALE: usize = size_of::<bf16>();

/// The quantisation points, and how levels are packed.
#[derive(Debug, Clone)]
pub(super) struct ScaledRow {
    packing: Packing,
    /// The midpoint between the two middle levels.
    middle: f32,
    bend: f32,
    /// The scales to try, as fractions of the scale that maps the largest value to the last point.
    tries: &'static [f32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// Two levels per byte: the first half of the values is in the low bits.
    Halves,
    Bytes,
}

/// With this bend, 16 points are close to optimal for a normal distribution (Lloyd and Max).
const BEND: f32 = 0.006;

impl ScaledRow {
    pub(super) const FOUR_BITS: Self = Self {
        packing: Packing::Halves,
        middle: 7.5,
        bend: BEND,
        tries: &[1.0, 0.93, 0.86, 0.79, 0.72, 0.65],
    };

    /// With 256 levels, a bend gains nothing.
    pub(super) const EIGHT_BITS: Self =
        Self { packing: Packing::Bytes, middle: 127.5, bend: 0.0, tries: &[1.0] };

    /// The size of a row of `dim` values in bytes.
    pub(super) fn row_bytes(&self, dim: usize) -> usize {
        match self.packing {
            Packing::Halves => SCALE + dim / 2,
            Packing::Bytes => SCALE + dim,
        }
    }

    /// Writes the levels with the least sum of squared errors among the scales that are tried.
    pub(super) fn encode(&self, values: &[f32], row: &mut [u8]) {
        let scale = self.scale(values);
        let (head, levels) = row.split_at_mut(SCALE);
        head.copy_from_slice(&scale.to_le_bytes());
        let parts = parts(scale);
        let level = |value: &f32| self.level(value * parts);
        match self.packing {
            Packing::Bytes => {
                levels.iter_mut().zip(values).for_each(|(byte, value)| *byte = level(value));
            }
            Packing::Halves => {
                let (low, high) = values.split_at(levels.len());
                for (byte, (low, high)) in levels.iter_mut().zip(low.iter().zip(high)) {
                    *byte = level(low) | level(high) << 4;
                }
            }
        }
    }

    /// Reads the values.
    pub(super) fn decode(&self, row: &[u8], values: &mut [f32]) {
        let (head, levels) = row.split_at(SCALE);
        let scale = bf16::from_le_bytes([head[0], head[1]]).to_f32();
        let value = |level: u8| scale * self.point(f32::from(level) - self.middle);
        match self.packing {
            Packing::Bytes => {
                values.iter_mut().zip(levels).for_each(|(to, &byte)| *to = value(byte));
            }
            Packing::Halves => {
                let (low, high) = values.split_at_mut(levels.len());
                low.iter_mut().zip(levels).for_each(|(to, byte)| *to = value(byte & 15));
                high.iter_mut().zip(levels).for_each(|(to, byte)| *to = value(byte >> 4));
            }
        }
    }

    fn point(&self, t: f32) -> f32 {
        t * (1.0 + self.bend * (t * t))
    }

    fn scale(&self, values: &[f32]) -> bf16 {
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let last = self.point(self.middle);
        // half a percent less, for rounding: no decoded half may be infinite
        let most = 0.995 * f16::MAX.to_f32() / last;
        let tries = self.tries.iter().map(|share| (share * largest / last).min(most));
        let error = |scale: &bf16| self.error(values, *scale);
        let best = tries.map(bf16::from_f32).min_by(|a, b| error(a).total_cmp(&error(b)));
        best.expect("some are tried")
    }

    fn error(&self, values: &[f32], scale: bf16) -> f32 {
        let (mut sums, parts) = ([0.0; 8], parts(scale));
        for eight in values.as_chunks::<8>().0 {
            for (sum, value) in sums.iter_mut().zip(eight) {
                let size = (value * parts).abs();
                let error = size - self.point(self.steps(size) + 0.5);
                *sum += error * error;
            }
        }
        sums.iter().sum::<f32>() * scale.to_f32() * scale.to_f32()
    }

    /// The level whose point is nearest.
    fn level(&self, value: f32) -> u8 {
        let away = self.steps(value.abs()) + 0.5;
        (self.middle + away.copysign(value)) as u8
    }

    /// The distance of the nearest level from the middle, in levels.
    fn steps(&self, size: f32) -> f32 {
        match self.packing {
            Packing::Bytes => f32::from((size as u8).min(127)),
            Packing::Halves => {
                LIMITS.iter().map(|&limit| if size > limit { 1.0 } else { 0.0 }).sum()
            }
        }
    }
}

/// The midpoints between neighbouring points of 4 bits.
const LIMITS: [f32; 7] = {
    let (mut limits, mut t) = ([0.0; 7], 0.5);
    let mut step = 0;
    while step < limits.len() {
        let next = t + 1.0;
        limits[step] = (t * (1.0 + BEND * (t * t)) + next * (1.0 + BEND * (next * next))) / 2.0;
        (t, step) = (next, step + 1);
    }
    limits
};

/// The reciprocal of a scale; a scale of 0 belongs to a row of zeros.
fn parts(scale: bf16) -> f32 {
    match scale.to_f32() {
        0.0 => 0.0,
        scale => 1.0 / scale,
    }
}
