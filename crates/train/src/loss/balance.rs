//! Regularisers of the router: against undecided shares, and against a single position.

use burn_tensor::Tensor;

use super::term::{Parts, Refused, Term, a_number};
use crate::backend::Device;

/// The mean entropy of alpha, `[queries, longest]`: high if the router is undecided.
pub(crate) fn entropy<D: Device>(alpha: Tensor<D, 2>) -> Tensor<D, 1> {
    let logs = alpha.clone().clamp_min(1e-20).log();
    -(alpha * logs).sum_dim(1).mean()
}

/// The negative entropy of the mean of alpha over the batch: high if few positions are used.
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

    fn check(weight: &f32) -> Result<(), Refused> {
        a_number(Self::KEY, *weight)
    }

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        Some(("balance", balance(parts.alpha.clone()?)))
    }
}
