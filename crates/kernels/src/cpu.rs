//! Detects the instructions of this CPU, in one place.

/// AVX2, with FMA and F16C.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

/// AVX-512: F, BW, DQ and VL.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// AVX-512 with BF16 products.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx512_bf16() -> bool {
    has_avx512() && is_x86_feature_detected!("avx512bf16")
}

/// Returns whether products of bf16 take less time than those of f32. They take half the time on
/// AMD's CPUs, but 1.5 times as long on Intel's, which have tiles for them.
#[cfg(target_arch = "x86_64")]
pub(crate) fn bf16_is_fast() -> bool {
    /// `AuthenticAMD` in the registers of `cpuid`.
    const AMD: [u32; 3] = [0x6874_7541, 0x6974_6e65, 0x444d_4163];
    let vendor = std::arch::x86_64::__cpuid(0);
    has_avx512_bf16() && [vendor.ebx, vendor.edx, vendor.ecx] == AMD
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn has_avx512() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn has_avx512_bf16() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn bf16_is_fast() -> bool {
    false
}
