//! The input of a scan of codes, and its loop over blocks.
//!
//! Codes are stored in blocks of [`BLOCK`], nibble by nibble: 16 bytes for each nibble, where byte
//! i has that nibble of code i in its low half and that of code i + 16 in its high half. A table of
//! 16 bytes fits a register; so one instruction looks up the nibbles of 16 codes.

use std::ops::Range;

/// The number of codes in a block.
pub const BLOCK: usize = 32;

/// Codes to scan, and the parameters of their estimates.
///
/// The estimate of a code is `base + factor * (step * sum + low)`, where the sum is that of the
/// table entries that its nibbles select.
#[derive(Debug)]
pub struct Scan<'a> {
    /// 16 entries for each nibble, with zeros for nibbles that pad to a step of 4.
    pub tables: &'a [u8],
    /// The number of nibbles per code, which is even; a block has 16 bytes for each.
    pub nibbles: usize,
    /// The codes, block after block.
    pub blocks: &'a [u8],
    /// The codes to scan; the first code of the first block is 0.
    pub places: Range<usize>,
    /// A factor for each place.
    pub factors: &'a [f32],
    /// The factor of a sum.
    pub step: f32,
    /// The value added to a scaled sum.
    pub low: f32,
    /// The base of all estimates.
    pub base: f32,
    /// Only estimates above it are returned.
    pub threshold: f32,
}

impl Scan<'_> {
    /// # Panics
    ///
    /// A table, a block or a factor is missing, or the sum of 16 bits could overflow.
    pub(super) fn check(&self) {
        assert!(self.nibbles.is_multiple_of(2) && self.nibbles > 0 && self.nibbles <= 256);
        assert!(self.tables.len() >= self.nibbles.next_multiple_of(4) * 16);
        assert!(self.blocks.len() / self.block_bytes() >= self.places.end.div_ceil(BLOCK));
        assert_eq!(self.factors.len(), self.places.len());
    }

    fn block_bytes(&self) -> usize {
        self.nibbles * 16
    }

    /// Iterates over the blocks with a function that returns the estimates of a block, and a mask
    /// of those above the threshold.
    #[inline(always)]
    pub(super) fn walk(
        &self,
        found: &mut Vec<(f32, u32)>,
        estimates: impl Fn(&[u8], &[f32; BLOCK]) -> (u32, [f32; BLOCK]),
    ) {
        let first = self.places.start / BLOCK;
        let blocks = self.blocks.chunks_exact(self.block_bytes()).skip(first);
        for (block, start) in blocks.zip((first * BLOCK..self.places.end).step_by(BLOCK)) {
            let (mut mask, estimates) = match self.whole_factors(start) {
                Some(factors) => estimates(block, factors),
                None => estimates(block, &self.part_of_factors(start)),
            };
            while mask != 0 {
                let at = mask.trailing_zeros() as usize;
                found.push((estimates[at], (start + at) as u32));
                mask &= mask - 1;
            }
        }
    }

    /// The factors of the block that begins at `start`, if all its places are scanned.
    #[inline(always)]
    fn whole_factors(&self, start: usize) -> Option<&[f32; BLOCK]> {
        self.factors.get(start.checked_sub(self.places.start)?..)?.first_chunk()
    }

    /// The factors of a partly scanned block; NaN, which is never found, for the other places.
    #[cold]
    fn part_of_factors(&self, start: usize) -> [f32; BLOCK] {
        std::array::from_fn(|at| {
            let index = (start + at).checked_sub(self.places.start);
            index.and_then(|index| self.factors.get(index)).copied().unwrap_or(f32::NAN)
        })
    }
}
