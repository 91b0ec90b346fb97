//! Losses: pure functions of scores, one number each, a mean over queries.

mod alignment;
mod balance;
mod contrastive;
mod mixture;
mod teacher;
mod term;

use burn_tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::backend::Device;

use mixture::mixture;
use term::{Term, Weight as _};

pub use teacher::TeacherSettings;
pub(crate) use term::{Aligned, Parts, Refused};

/// The settings of all terms, and what goes over them.
macro_rules! table {
    ($($(#[$doc:meta])* $key:ident: $settings:ty = $term:ty,)*) => {
        /// What is made small: a sum of terms, each times its weight; 0 leaves it out.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct LossSettings {
            /// How far scores are spread before they are compared: the smaller, the further.
            pub temperature: f32,
            /// The same for late interaction, whose scores are sums.
            pub sum_max_temperature: f32,
            /// Whether both are learned.
            pub learn_temperature: bool,
            $($(#[$doc])* pub $key: $settings,)*
        }

        impl Default for LossSettings {
            fn default() -> Self {
                Self {
                    temperature: 0.05,
                    sum_max_temperature: 1.0,
                    learn_temperature: false,
                    $($key: <$term>::default_settings(),)*
                }
            }
        }

        impl LossSettings {
            /// Whether a term that counts is computed of late interaction.
            pub(crate) fn needs_late(&self) -> bool {
                false $(|| (<$term>::NEEDS_LATE && self.$key.weight() != 0.0))*
            }

            /// Whether a term that counts is computed of views of another system.
            pub(crate) fn needs_views(&self) -> bool {
                false $(|| (<$term>::NEEDS_VIEWS && self.$key.weight() != 0.0))*
            }

            /// Whether a term that counts learns a search.
            pub(crate) fn teaches(&self) -> bool {
                false $(|| (<$term>::TEACHES && self.$key.weight() > 0.0))*
            }

            /// Refuses settings of terms that cannot be.
            pub(crate) fn check_terms(&self) -> Result<(), Refused> {
                $(<$term>::check(&self.$key)?;)*
                Ok(())
            }

            /// Gives each term that counts: its name, weight and value.
            pub(crate) fn terms<D: Device>(
                &self,
                parts: &Parts<'_, D>,
                mut add: impl FnMut(&'static str, f32, Tensor<D, 1>),
            ) {
                $({
                    let weight = self.$key.weight();
                    let value = if weight == 0.0 { None } else { <$term>::value(&self.$key, parts) };
                    if let Some((name, value)) = value {
                        add(name, weight, value);
                    }
                })*
            }
        }
    };
}

table! {
    /// A query's own document against the others of the batch, by the searched lane.
    contrastive: f32 = contrastive::Contrastive,
    /// The searched lane comes near to the late interaction of the same batch.
    distil: f32 = teacher::Distil,
    /// The contrastive loss by late interaction, so that the stored views serve both.
    sum_max: f32 = contrastive::SumMax,
    /// Scores of another system to come near to.
    teacher: Option<TeacherSettings> = teacher::Taught,
    /// Searched views come near to those of another system, in `teacher_views`.
    alignment: f32 = alignment::Alignment,
    /// Above 0: the router decides; below 0: it stays open.
    entropy: f32 = balance::Entropy,
    /// The router uses all positions of a query alike.
    balance: f32 = balance::Balance,
}

/// The logit of a value to exclude: its exponential is 0.
pub(crate) const NOTHING: f32 = -1e9;

/// The relation of a document to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It answers the query.
    Positive,
    /// It is not known to answer the query.
    Negative,
    /// It may answer it: a copy of a positive, or a positive from another source.
    Ignored,
}

/// The relations of a batch as offsets for scores, `[queries, documents]`.
#[derive(Debug, Clone)]
pub(crate) struct Targets<D: Device> {
    /// 0 for positives, a large negative number for others.
    positive: Tensor<D, 2>,
    /// A large negative number for ignored documents.
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

/// The log-sum-exp along a dimension, which is kept with length 1.
fn log_sum_exp<D: Device, const N: usize>(x: Tensor<D, N>, dim: usize) -> Tensor<D, N> {
    let most = x.clone().max_dim(dim).detach();
    (x - most.clone()).exp().sum_dim(dim).log() + most
}

#[cfg(test)]
mod tests;
