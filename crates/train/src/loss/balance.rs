//! What keeps the router from staying undecided, or from always taking the same position.

use burn_tensor::Tensor;

use super::term::{Parts, Refused, Term, a_number};
use crate::backend::Device;

/// How undecided the router is: the mean entropy of alpha, `[queries, longest]`.
pub(crate) fn entropy<D: Device>(alpha: Tensor<D, 2>) -> Tensor<D, 1> {
    let logs = alpha.clone().clamp_min(1e-20).log();
    -(alpha * logs).sum_dim(1).mean()
}

/// How unevenly positions are used: minus the entropy of the mean of alpha over the batch.
pub(crate) fn balance<D: Device>(alpha: Tensor<D, 2>) -> Tensor<D, 1> {
    let mean = alpha.mean_dim(0);
    let logs = mean.clone().clamp_min(1e-20).log();
    (mean * logs).sum()
}

/// The mean entropy of alpha: above 0 the router decides, below 0 it stays open.
pub(crate) struct Entropy;

impl Term for Entropy {
    type Settings = f32;

    const KEY: &'static str = "loss.entropy";
    const TEACHES: bool = false;

    fn usual() -> f32 {
        0.0
    }

    fn weight(weight: &f32) -> f32 {
        *weight
    }

    fn check(weight: &f32) -> Result<(), Refused> {
        a_number(Self::KEY, *weight)
    }

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        Some(("entropy", entropy(parts.alpha.clone()?)))
    }
}

/// The router uses all positions of a query alike.
pub(crate) struct Balance;

impl Term for Balance {
    type Settings = f32;

    const KEY: &'static str = "loss.balance";
    const TEACHES: bool = false;

    fn usual() -> f32 {
        0.0
    }

    fn weight(weight: &f32) -> f32 {
        *weight
    }

    fn check(weight: &f32) -> Result<(), Refused> {
        a_number(Self::KEY, *weight)
    }

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        Some(("balance", balance(parts.alpha.clone()?)))
    }
}
