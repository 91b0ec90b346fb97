//! The kernel for AVX2, with FMA and F16C.

use std::arch::x86_64::*;

use super::super::f16;
use super::super::portable::{self, LANES};
use super::super::scan::{BLOCK, Scan};
use super::AHEAD;
use super::products::{self, Lanes, add_up_eights};
use crate::cpu::has_avx2;

#[derive(Clone, Copy)]
struct Pair(__m256, __m256);

impl Lanes for Pair {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe { Self(_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: the caller guarantees that 16 values are there.
        unsafe { Self(_mm256_loadu_ps(values), _mm256_loadu_ps(values.add(8))) }
    }

    #[inline(always)]
    unsafe fn widen(halves: *const f16) -> Self {
        // SAFETY: the caller guarantees that 16 halves are there.
        unsafe {
            let (low, high) =
                (_mm_loadu_si128(halves.cast()), _mm_loadu_si128(halves.add(8).cast()));
            Self(_mm256_cvtph_ps(low), _mm256_cvtph_ps(high))
        }
    }

    #[inline(always)]
    unsafe fn load_part(values: *const f32, count: usize) -> Self {
        // SAFETY: the caller guarantees that `count` values, fewer than 16, are there.
        unsafe {
            if count == 8 {
                return Self(_mm256_loadu_ps(values), _mm256_setzero_ps());
            }
            let mut padded = [0.0; LANES];
            std::ptr::copy_nonoverlapping(values, padded.as_mut_ptr(), count);
            Self::load(padded.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn widen_part(halves: *const f16, count: usize) -> Self {
        // SAFETY: the caller guarantees that `count` halves, fewer than 16, are there.
        unsafe {
            if count == 8 {
                return Self(_mm256_cvtph_ps(_mm_loadu_si128(halves.cast())), _mm256_setzero_ps());
            }
            let mut padded = [f16::ZERO; LANES];
            std::ptr::copy_nonoverlapping(halves, padded.as_mut_ptr(), count);
            Self::widen(padded.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: the caller guarantees that there is room for 16 values.
        unsafe {
            _mm256_storeu_ps(values, self.0);
            _mm256_storeu_ps(values.add(8), self.1);
        }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, other: Self, sum: Self) -> Self {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe {
            Self(_mm256_fmadd_ps(self.0, other.0, sum.0), _mm256_fmadd_ps(self.1, other.1, sum.1))
        }
    }

    #[inline(always)]
    unsafe fn add_up([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe {
            add_up_eights([
                _mm256_add_ps(a.0, a.1),
                _mm256_add_ps(b.0, b.1),
                _mm256_add_ps(c.0, c.1),
                _mm256_add_ps(d.0, d.1),
            ])
        }
    }
}

pub(in super::super) fn dots(vector: &[f32], rows: &[f32], scores: &mut [f32]) {
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn compiled(vector: &[f32], rows: &[f32], scores: &mut [f32]) {
        // SAFETY: the caller checked.
        unsafe { products::dots::<Pair, f32>(vector, rows, scores) }
    }
    assert!(has_avx2() && rows.len() == vector.len() * scores.len());
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vector, rows, scores) }
}

pub(in super::super) fn dots_half(vector: &[f32], rows: &[f16], scores: &mut [f32]) {
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn compiled(vector: &[f32], rows: &[f16], scores: &mut [f32]) {
        // SAFETY: the caller checked.
        unsafe { products::dots::<Pair, f16>(vector, rows, scores) }
    }
    assert!(has_avx2() && rows.len() == vector.len() * scores.len());
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vector, rows, scores) }
}

pub(in super::super) fn best_rows(
    vectors: &[f32],
    dim: usize,
    rows: &[f16],
    best: &mut [(f32, u32)],
) {
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn compiled(vectors: &[f32], dim: usize, rows: &[f16], best: &mut [(f32, u32)]) {
        // SAFETY: the caller checked.
        unsafe { products::best_rows::<Pair, 1>(vectors, dim, rows, best) }
    }
    assert!(has_avx2() && dim > 0);
    assert!(vectors.len() == dim * best.len() && rows.len().is_multiple_of(dim));
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vectors, dim, rows, best) }
}

pub(in super::super) fn to_floats(halves: &[f16], floats: &mut [f32]) {
    #[target_feature(enable = "avx2,f16c")]
    fn compiled(halves: &[[f16; 8]], floats: &mut [[f32; 8]]) {
        for (halves, floats) in halves.iter().zip(floats) {
            // SAFETY: 8 halves are 128 bits, 8 floats 256.
            unsafe {
                let wide = _mm256_cvtph_ps(_mm_loadu_si128(halves.as_ptr().cast()));
                _mm256_storeu_ps(floats.as_mut_ptr(), wide);
            }
        }
    }
    assert!(has_avx2() && halves.len() == floats.len());
    let ((halves, rest), (floats, rest_of_floats)) = (halves.as_chunks(), floats.as_chunks_mut());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(halves, floats) }
    portable::to_floats(rest, rest_of_floats);
}

pub(in super::super) fn to_halves(floats: &[f32], halves: &mut [f16]) {
    #[target_feature(enable = "avx2,f16c")]
    fn compiled(floats: &[[f32; 8]], halves: &mut [[f16; 8]]) {
        for (floats, halves) in floats.iter().zip(halves) {
            // SAFETY: 8 floats are 256 bits, 8 halves 128.
            unsafe {
                let wide = _mm256_loadu_ps(floats.as_ptr());
                let narrow = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(wide);
                _mm_storeu_si128(halves.as_mut_ptr().cast(), narrow);
            }
        }
    }
    assert!(has_avx2() && halves.len() == floats.len());
    let ((floats, rest), (halves, rest_of_halves)) = (floats.as_chunks(), halves.as_chunks_mut());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(floats, halves) }
    portable::to_halves(rest, rest_of_halves);
}

pub(in super::super) fn hadamard(values: &mut [f32]) {
    #[target_feature(enable = "avx2")]
    fn compiled(values: &mut [f32]) {
        portable::hadamard(values);
    }
    assert!(has_avx2());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(values) }
}

pub(in super::super) fn scan(scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
    #[target_feature(enable = "avx2")]
    fn compiled(scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
        scan.walk(found, |block, factors| estimates(scan, &sums(scan, block), factors));
    }
    assert!(has_avx2());
    scan.check();
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(scan, found) }
}

/// The sums of the codes of a block, 16 in a register.
#[inline]
#[target_feature(enable = "avx2")]
fn sums(scan: &Scan<'_>, block: &[u8]) -> [__m256i; 2] {
    let low_half = _mm256_set1_epi8(15);
    // Bytes at even places, with those at odd places as a high half; and those at odd places.
    let (mut all, mut odd) = ([_mm256_setzero_si256(); 2], [_mm256_setzero_si256(); 2]);
    for (bytes, table) in block.as_chunks::<32>().0.iter().zip(scan.tables.as_chunks::<32>().0) {
        // SAFETY: 32 bytes are 256 bits; what is ahead is only hinted at.
        let (bytes, table) = unsafe {
            _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().cast::<i8>().wrapping_add(AHEAD));
            (_mm256_loadu_si256(bytes.as_ptr().cast()), _mm256_loadu_si256(table.as_ptr().cast()))
        };
        let low = _mm256_and_si256(bytes, low_half);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low_half);
        for (half, nibbles) in [low, high].into_iter().enumerate() {
            let entries = _mm256_shuffle_epi8(table, nibbles);
            all[half] = _mm256_add_epi16(all[half], entries);
            odd[half] = _mm256_add_epi16(odd[half], _mm256_srli_epi16::<8>(entries));
        }
    }
    let mut sums = all;
    for (sum, odd) in sums.iter_mut().zip(odd) {
        let even = _mm256_sub_epi16(*sum, _mm256_slli_epi16::<8>(odd));
        let (low, high) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
        *sum = _mm256_add_epi16(
            _mm256_permute2x128_si256::<0x20>(low, high),
            _mm256_permute2x128_si256::<0x31>(low, high),
        );
    }
    sums
}

/// Computes estimates from sums, and a mask of those above the threshold.
#[inline]
#[target_feature(enable = "avx2")]
fn estimates(
    scan: &Scan<'_>,
    [low, high]: &[__m256i; 2],
    factors: &[f32; BLOCK],
) -> (u32, [f32; BLOCK]) {
    let (step, base) = (_mm256_set1_ps(scan.step), _mm256_set1_ps(scan.base));
    let (lowest, threshold) = (_mm256_set1_ps(scan.low), _mm256_set1_ps(scan.threshold));
    let quarters = [
        _mm256_castsi256_si128(*low),
        _mm256_extracti128_si256::<1>(*low),
        _mm256_castsi256_si128(*high),
        _mm256_extracti128_si256::<1>(*high),
    ];
    let (mut mask, mut estimates) = (0, [0.0; BLOCK]);
    for (quarter, sums) in quarters.into_iter().enumerate() {
        let sums = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
        let products = _mm256_add_ps(_mm256_mul_ps(step, sums), lowest);
        // SAFETY: a quarter of a block is 8 floats.
        unsafe {
            let factors = _mm256_loadu_ps(factors[8 * quarter..][..8].as_ptr());
            let result = _mm256_add_ps(base, _mm256_mul_ps(factors, products));
            _mm256_storeu_ps(estimates[8 * quarter..][..8].as_mut_ptr(), result);
            let above = _mm256_cmp_ps::<_CMP_GT_OQ>(result, threshold);
            mask |= (_mm256_movemask_ps(above) as u32) << (8 * quarter);
        }
    }
    (mask, estimates)
}
