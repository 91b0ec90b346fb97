//! What panels consist of, and what a kernel is given to multiply.

use std::ops::Range;

use half::bf16;

/// Columns in a panel.
pub(super) const WIDTH: usize = 16;
/// A tile of AMX takes 16 pairs at a time, so the depth is filled up with zeros.
pub(super) const PAIRS: usize = 16;

/// Sixteen columns of one step of the depth.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct PanelLine<T>(pub(super) [T; WIDTH]);

/// Two neighbours in `bf16`: what one instruction multiplies and adds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(transparent)]
pub(super) struct Pair(pub(super) u32);

impl Pair {
    pub(super) fn new(first: f32, second: f32) -> Self {
        let bits = |value| u32::from(bf16::from_f32(value).to_bits());
        Self(bits(first) | bits(second) << 16)
    }

    pub(super) fn values(self) -> (f32, f32) {
        // bf16 is the upper half of an f32
        (f32::from_bits(self.0 << 16), f32::from_bits(self.0 & 0xffff_0000))
    }
}

/// What a kernel is given: everything is checked to be in bounds before.
#[derive(Debug)]
pub(super) struct Product<'a, T> {
    pub(super) left: &'a [T],
    pub(super) left_stride: usize,
    pub(super) rows: usize,
    pub(super) lines: &'a [PanelLine<T>],
    /// Lines in a panel.
    pub(super) depth: usize,
    pub(super) bias: &'a [f32],
    pub(super) columns: usize,
    pub(super) output: &'a mut [f32],
    pub(super) output_stride: usize,
}

/// Cuts a number of things into as few parts as there can be, of nearly one size.
pub(super) fn parts(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = total.div_ceil(most);
    (0..count).map(move |index| {
        let share = share(total, count, index);
        (share.start, share.len())
    })
}

pub(super) fn pairs(depth: usize) -> usize {
    depth.div_ceil(2).next_multiple_of(PAIRS)
}

/// Cuts a number of things into parts of nearly one size, which may be none, and gives one of them.
pub fn share(total: usize, count: usize, index: usize) -> Range<usize> {
    index * total / count..(index + 1) * total / count
}
