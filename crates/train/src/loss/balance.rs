//! What keeps the router from staying undecided, or from always taking the same position.

use burn_tensor::Tensor;

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
