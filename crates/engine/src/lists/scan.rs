//! Estimates a query's products with many views from their codes alone.
//!
//! Four bits of a code have 16 possible contributions to <s, q>. A table of 16 numbers for each
//! four dimensions, made once per query ([`Scanner::set`]), turns a product into look-ups and sums.
//! The numbers are bytes, in steps of 1/255 of the widest table, offset by the least of each table;
//! so 32 codes advance by 16 dimensions in a dozen instructions (André, Kermarrec and Le Scouarnec,
//! *Cache locality is not enough*, VLDB 2015, where this is called fast scan).
//!
//! Rounding to bytes adds an error of up to half a step for each four dimensions. A view's estimate
//! is the same, bit by bit, with all kernels and at any position.

use std::f32::consts::FRAC_2_PI;
use std::ops::Range;

use super::code::{BLOCK, block_bytes};
use fastlane_kernels::search::{Kernel, Scan};

/// The signs of four numbers, for each value of a nibble.
const SIGNS: [[f32; 16]; 4] = {
    let mut signs = [[-1.0; 16]; 4];
    let mut place = 0;
    while place < 64 {
        let (bit, nibble) = (place / 16, place % 16);
        if nibble >> bit & 1 == 1 {
            signs[bit][nibble] = 1.0;
        }
        place += 1;
    }
    signs
};

/// A query, prepared for scanning codes.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    kernel: Kernel,
    dim: usize,
    /// 16 bytes for each four dimensions, with zeros up to a multiple of 64.
    tables: Vec<u8>,
    /// The value of 1 in a table.
    step: f32,
    /// The value of a sum of 0.
    low: f32,
    /// The length of the query.
    length: f32,
}

/// Consecutive entries of one list.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a> {
    /// Whole blocks of codes, which may include codes of other lists.
    pub(crate) blocks: &'a [u8],
    /// The positions of the entries in the blocks.
    pub(crate) places: Range<usize>,
    /// The factor of each entry, starting with that of `places.start`.
    pub(crate) factors: &'a [f32],
    /// The product of the query with the list's centroid.
    pub(crate) base: f32,
}

impl Scanner {
    /// # Panics
    ///
    /// As [`set`](Self::set).
    pub(crate) fn new(kernel: Kernel, rotated_query: &[f32]) -> Self {
        let mut scanner =
            Self { kernel, dim: 0, tables: Vec::new(), step: 0.0, low: 0.0, length: 0.0 };
        scanner.set(rotated_query);
        scanner
    }

    /// Sets another query, and reuses the memory.
    ///
    /// # Panics
    ///
    /// The dimension is not a multiple of 8 from 8 to 1024.
    pub(crate) fn set(&mut self, rotated_query: &[f32]) {
        self.dim = rotated_query.len();
        self.length = rotated_query.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!(self.dim.is_multiple_of(8) && self.dim > 0 && self.dim <= 1024);
        let fours = rotated_query.as_chunks::<4>().0;
        let widest = fours.iter().map(reach).fold(0.0, f32::max);
        self.step = 2.0 * widest / 255.0;
        self.low = -fours.iter().map(reach).sum::<f32>();
        self.tables.clear();
        self.tables.resize(fours.len().next_multiple_of(4) * 16, 0);
        let scale = 255.0 / (2.0 * widest);
        if scale.is_finite() {
            for (table, four) in self.tables.as_chunks_mut::<16>().0.iter_mut().zip(fours) {
                *table = bytes(four, scale);
            }
        }
    }

    /// Adds this many standard errors to every estimate from now on, as an upper bound of the
    /// product.
    ///
    /// The error of an estimate is its factor times the length of the query times (1 - 2/π)^1/2.
    pub(crate) fn set_margin(&mut self, deviations: f32) {
        // a factor may be 0, and 0 times infinity is NaN
        let deviations = deviations.min(1e6);
        self.low += deviations * (1.0 - FRAC_2_PI).sqrt() * self.length;
    }

    /// Prefetches the first codes and factors of entries that will be scanned soon, while others
    /// are scanned.
    ///
    /// Lists are far apart in memory: this saves a tenth to a quarter of the time for 250 codes
    /// that are in no cache.
    pub(crate) fn prefetch(&self, entries: &Entries<'_>) {
        const CODES: usize = 4096;
        const FACTORS: usize = 256;
        let start = entries.places.start / BLOCK * block_bytes(self.dim);
        let codes = entries.blocks.get(start..).unwrap_or_default();
        self.kernel.fetch(&codes[..codes.len().min(CODES)]);
        self.kernel.fetch(&entries.factors[..entries.factors.len().min(FACTORS)]);
    }

    /// Pushes the estimate and the place of every entry whose estimate is above the threshold, by
    /// place.
    ///
    /// The estimate is that of <view, query>: the base plus the estimate from the code. An
    /// estimate that is NaN, as that of an entry whose factor is NaN, is never above the threshold.
    /// Entries without a factor or a whole block are skipped.
    pub(crate) fn scan(&self, entries: &Entries<'_>, threshold: f32, found: &mut Vec<(f32, u32)>) {
        let Entries { blocks, ref places, factors, base } = *entries;
        let there = blocks.len() / block_bytes(self.dim) * BLOCK;
        let count = places.len().min(factors.len()).min(there.saturating_sub(places.start));
        let scan = Scan {
            tables: &self.tables,
            nibbles: self.dim / 4,
            blocks,
            places: places.start..places.start + count,
            factors: &factors[..count],
            step: self.step,
            low: self.low,
            base,
            threshold,
        };
        if count > 0 {
            self.kernel.scan(&scan, found);
        }
    }
}

/// How far from 0 four numbers come, whatever their signs.
fn reach(four: &[f32; 4]) -> f32 {
    four.iter().map(|value| value.abs()).sum()
}

/// The contribution of each nibble to a product, counted from the least, in steps.
fn bytes(four: &[f32; 4], scale: f32) -> [u8; 16] {
    let mut sums = [reach(four); 16];
    for (value, signs) in four.iter().zip(&SIGNS) {
        for (sum, sign) in sums.iter_mut().zip(signs) {
            *sum += value * sign;
        }
    }
    // Adding it moves the nearest integer into the low bits.
    const ROUND: f32 = 12_582_912.0;
    sums.map(|sum| (sum * scale + ROUND).to_bits() as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::code;
    use super::*;

    /// Codes of one list among others, and a query.
    #[derive(Debug, Clone)]
    struct Case {
        query: Vec<f32>,
        codes: Vec<Vec<u8>>,
        places: Range<usize>,
        factors: Vec<f32>,
        base: f32,
    }

    impl Case {
        fn blocks(&self) -> Vec<u8> {
            let dim = self.query.len();
            let mut blocks = vec![0; self.codes.len().div_ceil(BLOCK) * block_bytes(dim)];
            for (place, bits) in self.codes.iter().enumerate() {
                code::put(&mut blocks, dim, place, bits);
            }
            blocks
        }

        fn scan(&self, kernel: Kernel, threshold: f32) -> Vec<(f32, u32)> {
            let (blocks, mut found) = (self.blocks(), vec![(9.0, 9)]);
            let entries = Entries {
                blocks: &blocks,
                places: self.places.clone(),
                factors: &self.factors,
                base: self.base,
            };
            Scanner::new(kernel, &self.query).scan(&entries, threshold, &mut found);
            assert_eq!(found.remove(0), (9.0, 9));
            found
        }

        /// The estimate with exact sums, and how far from it rounding to bytes may lead.
        fn naive(&self, place: usize) -> (f64, f64) {
            let factor = f64::from(self.factors[place - self.places.start]);
            let sign = |at: usize| f64::from(self.codes[place][at / 8] >> (at % 8) & 1) * 2.0 - 1.0;
            let query = || self.query.iter().map(|&value| f64::from(value)).enumerate();
            let product: f64 = query().map(|(at, value)| sign(at) * value).sum();
            let widest = self.query.as_chunks::<4>().0.iter().map(reach).fold(0.0, f32::max);
            let half_steps = f64::from(widest) / 255.0 * (self.query.len() / 4) as f64;
            let size: f64 = query().map(|(_, value)| value.abs()).sum();
            let base = f64::from(self.base);
            let rounding = 1e-6 * (size * factor.abs() + base.abs());
            (base + factor * product, half_steps * factor.abs() + rounding)
        }
    }

    fn cases() -> impl Strategy<Value = Case> {
        let sizes = (1..=24_usize, 1..150_usize);
        let shapes = sizes.prop_flat_map(|(bytes, count)| {
            (Just((bytes, count)), 0..count, 0..=count).prop_map(|(sizes, a, b)| (sizes, a, b))
        });
        let parts = shapes.prop_flat_map(|((bytes, count), a, b)| {
            let code = prop::collection::vec(any::<u8>(), bytes);
            let places = a.min(b)..a.max(b);
            (
                prop::collection::vec(-1.0_f32..1.0, 8 * bytes),
                prop::collection::vec(code, count),
                prop::collection::vec(0.0_f32..2.0, places.len()),
                Just(places),
                -1.0_f32..1.0,
            )
        });
        parts.prop_map(|(query, codes, factors, places, base)| Case {
            query,
            codes,
            places,
            factors,
            base,
        })
    }

    proptest! {
        #[test]
        fn estimates_are_within_the_rounding_of_tables(case in cases()) {
            let found = case.scan(Kernel::best(), f32::NEG_INFINITY);
            let places: Vec<usize> = found.iter().map(|&(_, place)| place as usize).collect();
            prop_assert_eq!(places, case.places.clone().collect::<Vec<_>>());
            for (estimate, place) in found {
                let (exact, bound) = case.naive(place as usize);
                let error = (f64::from(estimate) - exact).abs();
                prop_assert!(error <= bound, "{} of {} at {}", error, bound, place);
            }
        }

        #[test]
        fn all_kernels_find_the_same(case in cases(), threshold in -3.0_f32..3.0) {
            let wanted = case.scan(Kernel::Portable, threshold);
            for kernel in Kernel::available() {
                prop_assert_eq!(&case.scan(kernel, threshold), &wanted, "{:?}", kernel);
            }
        }

        #[test]
        fn a_threshold_keeps_what_is_above(case in cases(), threshold in -3.0_f32..3.0) {
            let mut all = case.scan(Kernel::best(), f32::NEG_INFINITY);
            all.retain(|&(estimate, _)| estimate > threshold);
            prop_assert_eq!(case.scan(Kernel::best(), threshold), all);
        }
    }

    #[test]
    fn an_estimate_by_hand() {
        // tables reach 1.275 and 0, so a step is 0.01; the code has 1 and 0.25 as they are, and
        // 0.025 turned round: 0.3 + 2 * (1 + 0.25 - 0.025)
        let query = vec![1.0, 0.25, 0.025, 0.0, 0.0, 0.0, 0.0, 0.0];
        let codes = vec![vec![0b1111_0011]];
        let case = Case { query, codes, places: 0..1, factors: vec![2.0], base: 0.3 };
        for kernel in Kernel::available() {
            let found = case.scan(kernel, 2.74);
            assert_eq!(found.len(), 1, "{kernel:?}");
            assert!((found[0].0 - 2.75).abs() < 1e-5, "{kernel:?} {found:?}");
            assert!(case.scan(kernel, 2.76).is_empty(), "{kernel:?}");
        }
    }

    #[test]
    fn sums_of_all_ones_do_not_overflow() {
        // 256 tables of 255 each: the most that 16 bits must hold
        let case = Case {
            query: vec![1.0; 1024],
            codes: vec![vec![255; 128]; 40],
            places: 3..40,
            factors: vec![1.0; 37],
            base: 0.0,
        };
        for kernel in Kernel::available() {
            let found = case.scan(kernel, 0.0);
            assert_eq!(found.len(), 37, "{kernel:?}");
            assert!(found.iter().all(|&(estimate, _)| (estimate - 1024.0).abs() < 1e-2));
        }
    }

    #[test]
    fn factors_that_are_no_numbers_are_never_found() {
        let mut case = Case {
            query: vec![1.0; 8],
            codes: vec![vec![255]; 70],
            places: 0..70,
            factors: vec![1.0; 70],
            base: 0.0,
        };
        case.factors[33] = f32::NAN;
        for kernel in Kernel::available() {
            let found = case.scan(kernel, f32::NEG_INFINITY);
            assert_eq!(found.len(), 69, "{kernel:?}");
            assert!(found.iter().all(|&(_, place)| place != 33), "{kernel:?}");
        }
    }

    #[test]
    fn entries_without_codes_or_factors_are_left_out() {
        let query = [1.0; 8];
        let blocks = [255; 2 * 32 + 31];
        let factors = [1.0; 100];
        for kernel in Kernel::available() {
            let scanner = Scanner::new(kernel, &query);
            let count = |places, factors| {
                let mut found = Vec::new();
                let entries = Entries { blocks: &blocks, places, factors, base: 0.0 };
                scanner.scan(&entries, f32::NEG_INFINITY, &mut found);
                found.len()
            };
            assert_eq!(count(10..110, &factors), 54, "{kernel:?}");
            assert_eq!(count(10..110, &factors[..7]), 7, "{kernel:?}");
            assert_eq!(count(500..600, &factors), 0, "{kernel:?}");
            assert_eq!(count(5..5, &factors), 0, "{kernel:?}");
        }
    }

    #[test]
    fn a_query_of_zeros_finds_every_base() {
        let case = Case {
            query: vec![0.0; 16],
            codes: vec![vec![1, 2]; 5],
            places: 0..5,
            factors: vec![1.0; 5],
            base: 0.5,
        };
        assert_eq!(case.scan(Kernel::best(), 0.4), [0, 1, 2, 3, 4].map(|place| (0.5, place)));
    }

    #[test]
    fn a_query_that_is_no_number_finds_nothing() {
        let case = Case {
            query: vec![f32::NAN; 16],
            codes: vec![vec![1, 2]; 5],
            places: 0..5,
            factors: vec![1.0; 5],
            base: 0.5,
        };
        assert!(case.scan(Kernel::best(), f32::NEG_INFINITY).is_empty());
    }
}
