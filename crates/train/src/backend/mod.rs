//! The operations that a device must compute, each with its gradient.
//!
//! Every operation has a plain form, built from the tensor library's own operations (`composite`).
//! It runs on any device and is the reference for the fast ones. On the CPU the few expensive ones
//! are fused by hand (`flex`): the library computes `erf` and `exp` one by one, stores all
//! intermediate results of attention, and passes over memory for each addition.
//!
//! All tables have two dimensions: the rows are the tokens of a batch, text by text, as described
//! by [`Spans`].

mod composite;
#[cfg(feature = "cuda")]
mod cuda;
mod dropout;
mod flex;
mod graph_lock;
mod spans;

use burn_tensor::Tensor;
use burn_tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};

#[cfg(feature = "cuda")]
pub(crate) use cuda::{Cuda, cuda_device};
pub use dropout::Dropout;
pub(crate) use dropout::hash;
pub use flex::Cpu;
pub(crate) use graph_lock::alone;
pub use spans::Spans;

/// A device that can train.
pub trait Device: AutodiffBackend<FloatElem = f32, InnerBackend: Backend<FloatElem = f32>> {
    /// The rows of a table by their indices.
    fn rows(table: Tensor<Self, 2>, numbers: &[u32]) -> Tensor<Self, 2> {
        composite::rows(table, numbers)
    }

    /// `x Wᵀ + b`.
    fn affine(x: Tensor<Self, 2>, layer: &Linear<Self>) -> Tensor<Self, 2> {
        composite::linear(x, layer)
    }

    /// The layer norm of `x + residual`.
    fn norm(x: Tensor<Self, 2>, residual: Tensor<Self, 2>, norm: &Norm<Self>) -> Tensor<Self, 2> {
        composite::norm(x, residual, norm)
    }

    /// x/2 (1 + erf(x/√2)).
    fn gelu_of(x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        burn_tensor::activation::gelu(x)
    }

    /// Attention within each text, head by head.
    fn attend(input: Attention<Self>) -> Tensor<Self, 2> {
        composite::attention(input, composite::kept_attention)
    }

    /// Drops values.
    fn dropout(x: Tensor<Self, 2>, dropout: Dropout) -> Tensor<Self, 2> {
        composite::dropout(x, dropout)
    }

    /// The best product of each query row with the rows of each document: `[rows, documents]`.
    ///
    /// A document without rows has the product 0.
    fn max_sim(
        queries: Tensor<Self, 2>,
        documents: Tensor<Self, 2>,
        spans: &Spans,
    ) -> Tensor<Self, 2> {
        composite::max_sim(queries, documents, spans)
    }

    /// A step of AdamW.
    fn adamw(
        table: AdamTable<Self::InnerBackend>,
        step: AdamStep,
    ) -> AdamTable<Self::InnerBackend> {
        composite::adamw(table, step)
    }

    /// The sum of squares.
    fn squares(x: &Tensor<Self::InnerBackend, 2>) -> f64 {
        f64::from((x.clone() * x.clone()).sum().into_scalar())
    }
}

/// The precision of matrix products; everything else is always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 8 bits of mantissa: several times as fast on a GPU.
    Bf16,
}

/// A linear map.
#[derive(Debug, Clone)]
pub struct Linear<B: Backend> {
    /// `[to, from]`.
    pub weight: Tensor<B, 2>,
    /// `[1, to]`, if there is one.
    pub bias: Option<Tensor<B, 2>>,
    /// The precision of products, on devices with a choice.
    pub precision: Precision,
}

/// A layer norm.
#[derive(Debug, Clone)]
pub struct Norm<B: Backend> {
    /// The scale of the normalised values, `[1, length]`.
    pub weight: Tensor<B, 2>,
    /// The shift, `[1, length]`.
    pub bias: Tensor<B, 2>,
    /// Added to the variance, to avoid division by 0.
    pub epsilon: f32,
}

/// The input of attention.
#[derive(Debug, Clone)]
pub struct Attention<B: Backend> {
    /// Queries, keys and values, `[rows, heads * length]`.
    pub parts: [Tensor<B, 2>; 3],
    /// The texts.
    pub spans: Spans,
    /// The number of attended tokens of each text, its first ones.
    pub attended: Vec<usize>,
    /// How many heads share a row.
    pub heads: usize,
    /// Dropout of attention shares.
    pub dropout: Dropout,
    /// The precision of products, on devices with a choice.
    pub precision: Precision,
}

/// Parameters and their optimiser state.
#[derive(Debug, Clone)]
pub struct AdamTable<B: Backend> {
    /// The values.
    pub values: Tensor<B, 2>,
    /// Their gradient.
    pub gradient: Tensor<B, 2>,
    /// The running mean of gradients.
    pub mean: Tensor<B, 2>,
    /// The running mean of their squares.
    pub square: Tensor<B, 2>,
}

/// The parameters of an AdamW step, as in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// The learning rate.
    pub rate: f32,
    /// The decay rates of the running means.
    pub betas: [f32; 2],
    /// Added to the denominator, to avoid division by 0.
    pub epsilon: f32,
    /// The weight decay, multiplied by the rate.
    pub decay: f32,
    /// The factor of the gradient: below 1 if it is clipped.
    pub scale: f32,
    /// The number of the step, from 1.
    pub number: i32,
}

#[cfg(test)]
mod tests;
