//! What is made small: pure functions of scores, one number each, a mean over queries.

mod balance;
mod contrastive;
mod mixture;
mod teacher;

use burn_tensor::{Tensor, TensorData};

use crate::backend::Device;

pub(crate) use balance::{balance, entropy};
pub(crate) use contrastive::contrastive;
pub(crate) use mixture::mixture;
pub(crate) use teacher::teacher;

/// What a value is set to that takes no part: e to its power is 0.
pub(crate) const NOTHING: f32 = -1e9;

/// What a document is to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It answers the query.
    Positive,
    /// It does not, as far as we know.
    Negative,
    /// It may: a copy of a right answer, or another right answer that stands elsewhere.
    Ignored,
}

/// The relations of a batch as what is added to scores, `[queries, documents]`.
#[derive(Debug, Clone)]
pub(crate) struct Targets<D: Device> {
    /// 0 for right answers, far less for others.
    positive: Tensor<D, 2>,
    /// Far less for what is ignored.
    allowed: Tensor<D, 2>,
}

impl<D: Device> Targets<D> {
    pub(crate) fn new(relations: &[Relation], queries: usize, device: &D::Device) -> Self {
        let documents = relations.len() / queries;
        let table = |value: fn(Relation) -> f32| {
            let values: Vec<f32> = relations.iter().map(|&relation| value(relation)).collect();
            Tensor::from_data(TensorData::new(values, [queries, documents]), device)
        };
        Self {
            positive: table(|it| if it == Relation::Positive { 0.0 } else { NOTHING }),
            allowed: table(|it| if it == Relation::Ignored { NOTHING } else { 0.0 }),
        }
    }
}

/// The logarithm of the sum of exponentials along a dimension, which stays with length 1.
fn log_sum_exp<D: Device, const N: usize>(x: Tensor<D, N>, dim: usize) -> Tensor<D, N> {
    let most = x.clone().max_dim(dim).detach();
    (x - most.clone()).exp().sum_dim(dim).log() + most
}

#[cfg(test)]
mod tests;
