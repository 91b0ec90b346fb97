//! The arithmetic of a forward pass, with a kernel for each kind of CPU.
//!
//! Nearly all time is spent on products of rows with weights. [`Panels`] stores weights in the
//! layout of the chosen [`Kernel`]. The rest, in `vector.rs`, is plain Rust that the compiler
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
//! `unsafe` is used only in `x86.rs` and `amx/` (and, in tests, in AMX's emulator). Each function
//! has a portable twin that tests compare it with.

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

/// The numeric precision of an encoder, and the instructions it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// The fastest on this CPU: `Bf16` if it has tiles or is an AMD with AVX-512 BF16, else `F32`.
    #[default]
    Auto,
    /// Products of f32.
    F32,
    /// Products of bf16, sums of f32: cosines with f32 stay above 0.999.
    Bf16,
    /// Products of f32 in plain Rust, without instructions that only some CPUs have.
    Portable,
}

/// The instructions of the products.
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

    /// The kernels that this CPU can run.
    pub fn available() -> Vec<Self> {
        let all = [Self::Portable, Self::Avx2, Self::Avx512, Self::Avx512Bf16, Self::Amx];
        all.into_iter().filter(|kernel| kernel.is_here()).collect()
    }

    /// Returns whether this CPU has the instructions.
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

    /// The kernel for data that must not be rounded to `bf16`.
    pub fn exact(self) -> Self {
        if self.is_bf16() { Kernel::Avx512 } else { self }
    }

    /// The name of the instructions.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable f32",
            Kernel::Avx2 => "AVX2 f32",
            Kernel::Avx512 => "AVX-512 f32",
            Kernel::Avx512Bf16 => "AVX-512 bf16",
            Kernel::Amx => "AMX bf16",
        }
    }

    /// Applies GELU to each value.
    pub fn gelu(self, values: &mut [f32]) {
        match self {
            Kernel::Portable => portable::gelu(values),
            Kernel::Avx2 => x86::avx2_gelu(values),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_gelu(values),
        }
    }

    /// Applies GELU's approximation by tanh to each value.
    pub fn gelu_tanh(self, values: &mut [f32]) {
        match self {
            Kernel::Portable => portable::gelu_tanh(values),
            Kernel::Avx2 => x86::avx2_gelu_tanh(values),
            Kernel::Avx512 | Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_gelu_tanh(values),
        }
    }

    /// Replaces scores by the numerators of a softmax, and returns their sum.
    ///
    /// The scores are first multiplied by `scale`, which is above 0.
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

    /// Converts a row to pairs of `bf16`, padded with zeros.
    fn to_pairs(self, row: &[f32], pairs: &mut [Pair]) {
        match self {
            Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_to_pairs(row, pairs),
            Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => portable::to_pairs(row, pairs),
        }
    }

    /// Transposes rows into columns of lines.
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

    /// Interleaves every two rows into a line of pairs, each of two values of one column.
    fn interleave(self, rows: Rows<'_>, lines: &mut [PanelLine<Pair>]) {
        match self {
            Kernel::Avx512Bf16 | Kernel::Amx => x86::avx512_interleave(rows, lines),
            Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => portable::interleave(rows, lines),
        }
    }
}

/// The parameters of a layer norm.
#[derive(Debug)]
pub struct Norm {
    /// The factors.
    pub scale: Vec<f32>,
    /// The values added after scaling.
    pub shift: Vec<f32>,
    /// Added to the variance, to avoid division by 0.
    pub epsilon: f32,
}
