//! The exact expectation over lanes: each token alone may search, with probability alpha.
//!
//! `-ln Σ_i alpha_i p_i(positive)`, where p_i is the softmax of lane i over the batch.

use burn_tensor::{Tensor, activation};

use super::{Targets, log_sum_exp};
use crate::backend::Device;

/// The loss for the scores of each lane, `[queries, lanes, documents]`, and the logarithm of
/// alpha, `[queries, lanes]`.
pub(crate) fn mixture<D: Device>(
    scores: Tensor<D, 3>,
    log_alpha: Tensor<D, 2>,
    targets: &Targets<D>,
) -> Tensor<D, 1> {
    let [queries, lanes, documents] = scores.dims();
    let each = |table: &Tensor<D, 2>| table.clone().reshape([queries, 1, documents]);
    let shares = activation::log_softmax(scores + each(&targets.allowed), 2);
    let right = log_sum_exp(shares + each(&targets.positive), 2).reshape([queries, lanes]);
    -log_sum_exp(log_alpha + right, 1).mean()
}
