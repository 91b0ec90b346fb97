//! Contrasts a query's positives with all documents of the batch.
//!
//! `-ln Σ_positive e^s / Σ_all e^s`: several positives share the numerator, so one suffices.

use burn_tensor::Tensor;

use super::term::{Parts, Term};
use super::{Targets, log_sum_exp, mixture};
use crate::backend::Device;

/// The loss for scores `[queries, documents]`, already divided by the temperature.
pub(crate) fn contrastive<D: Device>(scores: Tensor<D, 2>, targets: &Targets<D>) -> Tensor<D, 1> {
    let scores = scores + targets.allowed.clone();
    let right = log_sum_exp(scores.clone() + targets.positive.clone(), 1);
    (log_sum_exp(scores, 1) - right).mean()
}

/// By the searched lane, or by the exact mixture of all lanes.
pub(crate) struct Contrastive;

impl Term for Contrastive {
    type Settings = f32;

    const KEY: &'static str = "loss.contrastive";

    fn default_settings() -> f32 {
        1.0
    }

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        Some(match &parts.mixture {
            Some((each, log_alpha)) => {
                ("mixture", mixture(each.clone(), log_alpha.clone(), parts.targets))
            }
            None => ("contrastive", contrastive(parts.lane.clone(), parts.targets)),
        })
    }
}

/// By late interaction, so that the stored views serve both.
pub(crate) struct SumMax;

impl Term for SumMax {
    type Settings = f32;

    const KEY: &'static str = "loss.sum_max";
    const NEEDS_LATE: bool = true;

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        let late = parts.late.clone()?;
        Some(("sum_max", contrastive(late, parts.targets)))
    }
}
