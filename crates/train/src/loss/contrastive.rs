//! A query's right answers against all documents of the batch.
//!
//! `-ln Σ_positive e^s / Σ_all e^s`: several right answers share the task, so that one suffices.

use burn_tensor::Tensor;

use super::{Targets, log_sum_exp};
use crate::backend::Device;

/// The loss for scores `[queries, documents]` that are spread as far as they shall be.
pub(crate) fn contrastive<D: Device>(scores: Tensor<D, 2>, targets: &Targets<D>) -> Tensor<D, 1> {
    let scores = scores + targets.allowed.clone();
    let right = log_sum_exp(scores.clone() + targets.positive.clone(), 1);
    (log_sum_exp(scores, 1) - right).mean()
}
