//! Kernels for AVX2 and AVX-512.
//!
//! The functions that other modules see are safe: they check that the CPU has the instructions and
//! that the slices cover every access by pointer.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "instructions of the CPU by intrinsics; twins in portable.rs")
)]

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
#[cfg(target_arch = "x86_64")]
mod products;

#[cfg(not(target_arch = "x86_64"))]
pub(super) use super::{portable as avx2, portable as avx512};

/// How far ahead of a scan its codes are prefetched, in bytes.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 2048;

/// Prefetches memory; Miri does not support it.
#[cfg(target_arch = "x86_64")]
pub(super) fn fetch<T>(values: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

    let start = values.as_ptr().cast::<i8>();
    let bytes = if cfg!(miri) { 0 } else { size_of_val(values) };
    for at in (0..bytes).step_by(64) {
        // SAFETY: every x86-64 CPU has the instruction, which reads nothing by itself.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(at)) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn fetch<T>(_values: &[T]) {}
