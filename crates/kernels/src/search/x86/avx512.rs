//! The kernel for AVX-512: F, BW, DQ and VL.

use std::arch::x86_64::*;

use super::super::scan::{BLOCK, Scan};
use super::super::{f16, portable};
use super::AHEAD;
use super::products::{self, Lanes, add_up_eights};
use crate::cpu::has_avx512;

/// Vectors that are multiplied with 4 rows together: 24 of 32 registers hold sums.
const VECTORS: usize = 6;

impl Lanes for __m512 {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: the caller guarantees that 16 values are there.
        unsafe { _mm512_loadu_ps(values) }
    }

    #[inline(always)]
    unsafe fn widen(halves: *const f16) -> Self {
        // SAFETY: the caller guarantees that 16 halves are there.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(halves.cast())) }
    }

    #[inline(always)]
    unsafe fn load_part(values: *const f32, count: usize) -> Self {
        // SAFETY: the caller guarantees that `count` values, fewer than 16, are there.
        unsafe { _mm512_maskz_loadu_ps((1 << count) - 1, values) }
    }

    #[inline(always)]
    unsafe fn widen_part(halves: *const f16, count: usize) -> Self {
        // SAFETY: the caller guarantees that `count` halves, fewer than 16, are there.
        unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16((1 << count) - 1, halves.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: the caller guarantees that there is room for 16 values.
        unsafe { _mm512_storeu_ps(values, self) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, other: Self, sum: Self) -> Self {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe { _mm512_fmadd_ps(self, other, sum) }
    }

    #[inline(always)]
    unsafe fn add_up(four: [Self; 4]) -> [f32; 4] {
        // SAFETY: the caller checked that the CPU has the instructions.
        unsafe {
            let mut eights = [_mm256_setzero_ps(); 4];
            for (eight, lanes) in eights.iter_mut().zip(four) {
                let high = _mm512_extractf32x8_ps::<1>(lanes);
                *eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), high);
            }
            add_up_eights(eights)
        }
    }
}

pub(in super::super) fn dots(vector: &[f32], rows: &[f32], scores: &mut [f32]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")]
    unsafe fn compiled(vector: &[f32], rows: &[f32], scores: &mut [f32]) {
        // SAFETY: the caller checked.
        unsafe { products::dots::<__m512, f32>(vector, rows, scores) }
    }
    assert!(has_avx512() && rows.len() == vector.len() * scores.len());
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vector, rows, scores) }
}

pub(in super::super) fn dots_half(vector: &[f32], rows: &[f16], scores: &mut [f32]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")]
    unsafe fn compiled(vector: &[f32], rows: &[f16], scores: &mut [f32]) {
        // SAFETY: the caller checked.
        unsafe { products::dots::<__m512, f16>(vector, rows, scores) }
    }
    assert!(has_avx512() && rows.len() == vector.len() * scores.len());
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vector, rows, scores) }
}

pub(in super::super) fn best_rows(
    vectors: &[f32],
    dim: usize,
    rows: &[f16],
    best: &mut [(f32, u32)],
) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma,f16c")]
    unsafe fn compiled(vectors: &[f32], dim: usize, rows: &[f16], best: &mut [(f32, u32)]) {
        // SAFETY: the caller checked.
        unsafe { products::best_rows::<__m512, VECTORS>(vectors, dim, rows, best) }
    }
    assert!(has_avx512() && dim > 0);
    assert!(vectors.len() == dim * best.len() && rows.len().is_multiple_of(dim));
    // SAFETY: the CPU has the instructions, and the lengths are right.
    unsafe { compiled(vectors, dim, rows, best) }
}

pub(in super::super) fn to_floats(halves: &[f16], floats: &mut [f32]) {
    #[target_feature(enable = "avx512f")]
    fn compiled(halves: &[[f16; 16]], floats: &mut [[f32; 16]]) {
        for (halves, floats) in halves.iter().zip(floats) {
            // SAFETY: 16 halves are 256 bits, 16 floats 512.
            unsafe {
                let wide = _mm512_cvtph_ps(_mm256_loadu_si256(halves.as_ptr().cast()));
                _mm512_storeu_ps(floats.as_mut_ptr(), wide);
            }
        }
    }
    assert!(has_avx512() && halves.len() == floats.len());
    let ((halves, rest), (floats, rest_of_floats)) = (halves.as_chunks(), floats.as_chunks_mut());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(halves, floats) }
    portable::to_floats(rest, rest_of_floats);
}

pub(in super::super) fn to_halves(floats: &[f32], halves: &mut [f16]) {
    #[target_feature(enable = "avx512f")]
    fn compiled(floats: &[[f32; 16]], halves: &mut [[f16; 16]]) {
        for (floats, halves) in floats.iter().zip(halves) {
            // SAFETY: 16 floats are 512 bits, 16 halves 256.
            unsafe {
                let wide = _mm512_loadu_ps(floats.as_ptr());
                let narrow = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(wide);
                _mm256_storeu_si256(halves.as_mut_ptr().cast(), narrow);
            }
        }
    }
    assert!(has_avx512() && halves.len() == floats.len());
    let ((floats, rest), (halves, rest_of_halves)) = (floats.as_chunks(), halves.as_chunks_mut());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(floats, halves) }
    portable::to_halves(rest, rest_of_halves);
}

pub(in super::super) fn hadamard(values: &mut [f32]) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn compiled(values: &mut [f32]) {
        portable::hadamard(values);
    }
    assert!(has_avx512());
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(values) }
}

pub(in super::super) fn scan(scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn compiled(scan: &Scan<'_>, found: &mut Vec<(f32, u32)>) {
        scan.walk(found, |block, factors| estimates(scan, sums(scan, block), factors));
    }
    assert!(has_avx512());
    scan.check();
    // SAFETY: the CPU has the instructions.
    unsafe { compiled(scan, found) }
}

/// The sums of the 32 codes of a block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn sums(scan: &Scan<'_>, block: &[u8]) -> __m512i {
    let mut sums = Sums::new();
    let (steps, rest) = block.as_chunks::<64>();
    let tables = scan.tables.as_chunks::<64>().0;
    for (bytes, table) in steps.iter().zip(tables) {
        // SAFETY: 64 bytes are 512 bits; what is ahead is only hinted at.
        let (bytes, table) = unsafe {
            _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().cast::<i8>().wrapping_add(AHEAD));
            (_mm512_loadu_si512(bytes.as_ptr().cast()), _mm512_loadu_si512(table.as_ptr().cast()))
        };
        sums.add(bytes, table);
    }
    if let (Some(bytes), Some(table)) = (rest.first_chunk::<32>(), tables.get(steps.len())) {
        // SAFETY: 32 bytes are 256 bits, 64 are 512; the table is zero for the missing ones.
        let (bytes, table) = unsafe {
            (_mm256_loadu_si256(bytes.as_ptr().cast()), _mm512_loadu_si512(table.as_ptr().cast()))
        };
        sums.add(_mm512_zextsi256_si512(bytes), table);
    }
    sums.in_order()
}

/// Sums of 16 bits, of codes 0 to 15 and of codes 16 to 31, in four parts each.
struct Sums {
    /// Those of even codes, with those of odd ones added to the high half.
    all: [__m512i; 2],
    /// Those of odd codes.
    odd: [__m512i; 2],
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new() -> Self {
        Self { all: [_mm512_setzero_si512(); 2], odd: [_mm512_setzero_si512(); 2] }
    }

    /// Looks up four nibbles of each code, and adds the table entries.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add(&mut self, bytes: __m512i, table: __m512i) {
        let low_half = _mm512_set1_epi8(15);
        let low = _mm512_and_si512(bytes, low_half);
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), low_half);
        for (half, nibbles) in [low, high].into_iter().enumerate() {
            let entries = _mm512_shuffle_epi8(table, nibbles);
            self.all[half] = _mm512_add_epi16(self.all[half], entries);
            self.odd[half] = _mm512_add_epi16(self.odd[half], _mm512_srli_epi16::<8>(entries));
        }
    }

    /// Adds up the parts, and reorders the sums as the codes are.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn in_order(self) -> __m512i {
        let mut halves = self.all;
        for (half, odd) in halves.iter_mut().zip(self.odd) {
            let even = _mm512_sub_epi16(*half, _mm512_slli_epi16::<8>(odd));
            let (low, high) = (_mm512_unpacklo_epi16(even, odd), _mm512_unpackhi_epi16(even, odd));
            // parts 0 + 2 and 1 + 3 of the first eight codes, then of the others
            *half = _mm512_add_epi16(
                _mm512_shuffle_i32x4::<0b01_00_01_00>(low, high),
                _mm512_shuffle_i32x4::<0b11_10_11_10>(low, high),
            );
        }
        let [low, high] = halves;
        _mm512_add_epi16(
            _mm512_shuffle_i32x4::<0b10_00_10_00>(low, high),
            _mm512_shuffle_i32x4::<0b11_01_11_01>(low, high),
        )
    }
}

/// Computes estimates from sums, and a mask of those above the threshold.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn estimates(scan: &Scan<'_>, sums: __m512i, factors: &[f32; BLOCK]) -> (u32, [f32; BLOCK]) {
    let (step, base) = (_mm512_set1_ps(scan.step), _mm512_set1_ps(scan.base));
    let (low, threshold) = (_mm512_set1_ps(scan.low), _mm512_set1_ps(scan.threshold));
    let halves = [_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums)];
    let (mut mask, mut estimates) = (0, [0.0; BLOCK]);
    for (half, sums) in halves.into_iter().enumerate() {
        let sums = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
        let products = _mm512_add_ps(_mm512_mul_ps(step, sums), low);
        // SAFETY: half a block is 16 floats.
        unsafe {
            let factors = _mm512_loadu_ps(factors[16 * half..][..16].as_ptr());
            let result = _mm512_add_ps(base, _mm512_mul_ps(factors, products));
            _mm512_storeu_ps(estimates[16 * half..][..16].as_mut_ptr(), result);
            let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(result, threshold);
            mask |= u32::from(above) << (16 * half);
        }
    }
    (mask, estimates)
}
