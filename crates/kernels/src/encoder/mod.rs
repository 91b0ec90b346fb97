//! The arithmetic of a forward pass, in as many ways as there are kinds of CPU.
//!
//! Nearly all time goes into products of rows with weights. [`Panels`] holds weights as the
//! chosen [`Kernel`] wants them; the rest, in `vector.rs`, is plain Rust that the compiler
//! vectorises for the instructions of the kernel.
//!
//! | kernel | products | rows x columns at a time |
//! |---|---|---|
//! | `Amx` | `bf16`, sums in f32, tiles | 32 x 32 or 16 x 64 |
//! | `Avx512Bf16` | `bf16`, sums in f32 | 8 x 48 |
//! | `Avx512` | f32 | 8 x 48 |
//! | `Avx2` | f32 | 6 x 16 |
//! | `Portable` | f32 | 4 x 16 |
//!
//! `unsafe` lives in `x86.rs` and `amx.rs` alone (and, in tests, in AMX's emulator), each function beside a portable twin that tests
//! hold it against.

mod amx;
mod lines;
mod panels;
mod peak;
mod portable;
mod rows;
#[cfg(test)]
pub mod tests;
mod vector;
mod x86;

use crate::cpu;

pub use self::lines::share;
use self::lines::{Pair, PanelLine};
pub use self::panels::{Panels, Slot, WeightArena};
pub use self::peak::peak;
use self::portable::Element;
pub use self::rows::{Output, PackedRows, RowBlock, Rows};

/// How exactly, and with which instructions, an encoder computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The fastest that this CPU has: `Bf16` where it has tiles for it or is an AMD with AVX-512
    /// BF16, else `F32`.
    #[default]
    Auto,
    /// Products of f32.
    F32,
    /// Products of bf16, sums of f32: cosines with f32 stay above 0.999.
    Bf16,
    /// Products of f32 in plain Rust, without instructions that only some CPUs have.
    Portable,
}

/// The instructions that products are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// f32 in plain Rust.
    Portable,
    /// f32 by AVX2 and FMA.
    Avx2,
    /// f32 by AVX-512.
    Avx512,
    /// bf16 by AVX-512 BF16, sums in f32.
    Avx512Bf16,
    /// bf16 by tiles, sums in f32.
    Amx,
}

impl Kernel {
    /// Picks the best kernel of this CPU; `None` when it has no instructions for the precision.
    pub fn choose(precision: Precision) -> Option<Self> {
        let best = |kernels: &[Kernel]| kernels.iter().copied().find(|kernel| kernel.is_here());
        match precision {
            Precision::Auto if amx::is_here() || cpu::bf16_is_fast() => {
                Self::choose(Precision::Bf16)
            }
            Precision::Auto => Self::choose(Precision::F32),
            Precision::Bf16 => best(&[Kernel::Amx, Kernel::Avx512Bf16]),
            Precision::F32 => best(&[Kernel::Avx512, Kernel::Avx2, Kernel::Portable]),
            Precision::Portable => Some(Kernel::Portable),
        }
    }

    /// Those that this CPU can run.
    pub fn available() -> Vec<Self> {
        let all = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Bf16, Self::Amx];
        all.into_iter().filter(|kernel| kernel.is_here()).collect()
    }

    /// Tells whether this CPU has the instructions.
    fn is_here(self) -> bool {
        match self {
            Kernel::Portable => true,
            Kernel::Avx2 => cpu::has_avx2(),
            Kernel::Avx512 => cpu::has_avx512(),
            Kernel::Avx512Bf16 => cpu::has_avx512_bf16(),
            Kernel::Amx => amx::is_here(),
        }
    }

    fn is_bf16(self) -> bool {
        matches!(self, Kernel::Avx512Bf16 | Kernel::Amx)
    }

    /// The kernel for what must not be rounded to `bf16`.
    pub fn exact(self) -> Self {
        if self.is_bf16() { Kernel::Avx512 } else { self }
    }

    /// Names the instructions.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable f32",
            Kernel::Avx2 => "AVX2 f32",
            Kernel::Avx512 => "AVX-512 f32",
            Kernel::Avx512Bf16 => "AVX-512 bf16",
            Kernel::Amx => "AMX bf16",
        }
    }

    /// Bends each value by GELU.
    pub fn gelu(self, values: &mut [f32]) {
        match self {
            Kernel::Portable => portable::gelu(values),
            Kernel::Avx2 => x86::avx2_gelu(values),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_gelu(values),
        }
    }

    /// Bends each value by GELU's approximation by tanh.
    pub fn gelu_tanh(self, values: &mut [f32]) {
        match self {
            Kernel::Portable => portable::gelu_tanh(values),
            Kernel::Avx2 => x86::avx2_gelu_tanh(values),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_gelu_tanh(values),
        }
    }

    /// InFlight scores into the numerators of a softmax, and returns their sum.
    ///
    /// The scores are multiplied with a scale, above 0, before.
    pub fn softmax(self, scores: &mut [f32], scale: f32) -> f32 {
        match self {
            Kernel::Portable => portable::softmax(scores, scale),
            Kernel::Avx2 => x86::avx2_softmax(scores, scale),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_softmax(scores, scale),
        }
    }

    /// Normalises `values + added` to mean 0 and variance 1, then scales and shifts it.
    pub fn layer_norm(self, values: &mut [f32], added: &[f32], norm: &Norm) {
        match self {
            Kernel::Portable => portable::layer_norm(values, added, norm),
            Kernel::Avx2 => x86::avx2_layer_norm(values, added, norm),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => {
                x86::avx512_layer_norm(values, added, norm);
            }
        }
    }

    /// InFlight a row into pairs of `bf16`, with zeros at its end.
    fn to_pairs(self, row: &[f32], pairs: &mut [Pair]) {
        match self {
            Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_to_pairs(row, pairs),
            Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => portable::to_pairs(row, pairs),
        }
    }

    /// Makes rows columns of lines.
    fn transpose<T: Element>(
        self,
        rows: &[T],
        stride: usize,
        count: usize,
        lines: &mut [PanelLine<T>],
    ) {
        match self {
            Kernel::Portable | Kernel::Avx2 => portable::transpose(rows, stride, count, lines),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => {
                x86::avx512_transpose(rows, stride, count, lines);
            }
        }
    }

    /// Makes a line of every two rows, of pairs of what stands one above the other.
    fn interleave(self, rows: Rows<'_>, lines: &mut [PanelLine<Pair>]) {
        match self {
            Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_interleave(rows, lines),
            Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => portable::interleave(rows, lines),
        }
    }
}

/// What a layer norm multiplies and adds, and what keeps it from dividing by 0.
#[derive(Debug)]
pub struct Norm {
    /// What values are multiplied with.
    pub scale: Vec<f32>,
    /// What is added then.
    pub shift: Vec<f32>,
    /// Added to the variance, which keeps it from dividing by 0.
    pub epsilon: f32,
}
