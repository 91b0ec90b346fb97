//! What a loss is to a run: a term of the sum, with its settings and what it is computed of.

use std::fmt::Debug;

use burn_tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Targets;
use crate::backend::Device;

/// A loss that a run file can give a weight.
///
/// A new one is its file with this impl, a line in the table of `mod.rs`, and its row in the guide.
pub(crate) trait Term {
    /// What stands in the run file under `loss.KEY`.
    type Settings: Weight;

    /// The key in the run file, from the top.
    const KEY: &'static str;

    /// The settings of a run that does not name it.
    fn default_settings() -> Self::Settings {
        Self::Settings::default()
    }

    /// Refuses settings that are out of range; by default, a weight below 0.
    fn check(settings: &Self::Settings) -> Result<(), Refused> {
        at_least_0(Self::KEY, settings.weight())
    }

    /// Whether it learns a search, so that it alone is enough for a run.
    const TEACHES: bool = true;

    /// Whether it is computed of late interaction.
    const NEEDS_LATE: bool = false;

    /// Whether it is computed of views, ours and those of another system.
    const NEEDS_VIEWS: bool = false;

    /// Its value for a batch, with the name that metrics call it by; `None` where it has none.
    fn value<D: Device>(
        settings: &Self::Settings,
        parts: &Parts<'_, D>,
    ) -> Option<(&'static str, Tensor<D, 1>)>;
}

/// The settings of a term: a number, or a table with one.
pub(crate) trait Weight:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned
{
    /// The weight in the sum; 0 leaves the term out.
    fn weight(&self) -> f32;
}

impl Weight for f32 {
    fn weight(&self) -> f32 {
        *self
    }
}

/// A setting that is out of range.
pub(crate) struct Refused {
    /// The whole key in the run file.
    pub(crate) key: &'static str,
    pub(crate) found: f32,
    pub(crate) wanted: &'static str,
}

/// What losses are computed of: one batch after the forward pass.
pub(crate) struct Parts<'a, D: Device> {
    /// One score for each query and document, by the searched lane, divided by its temperature.
    pub(crate) lane: Tensor<D, 2>,
    /// The score of each lane, divided by the temperature, and the logarithm of its weight, where
    /// the exact mixture of all lanes is learned.
    pub(crate) mixture: Option<(Tensor<D, 3>, Tensor<D, 2>)>,
    /// The scores of late interaction, divided by their temperature.
    pub(crate) late: Option<Tensor<D, 2>>,
    /// The weights of a query's tokens, where there is a router.
    pub(crate) alpha: Option<Tensor<D, 2>>,
    /// Which documents answer which queries.
    pub(crate) targets: &'a Targets<D>,
    /// The scores of a teacher, NaN where it has none.
    pub(crate) teacher: Option<&'a [f32]>,
    /// The searched views of queries, then documents, where another system has views of them.
    pub(crate) views: Vec<Aligned<D>>,
}

/// Searched views next to those of another system.
pub(crate) struct Aligned<D: Device> {
    /// `[views, dim]`.
    pub(crate) ours: Tensor<D, 2>,
    /// The same shape; 0 where there is none.
    pub(crate) theirs: Tensor<D, 2>,
    /// 1 where the other system has a view, and else 0: `[views, 1]`.
    pub(crate) known: Tensor<D, 2>,
}

/// Refuses a weight that is not a number, or below 0.
fn at_least_0(key: &'static str, weight: f32) -> Result<(), Refused> {
    match weight >= 0.0 && weight.is_finite() {
        true => Ok(()),
        false => Err(Refused { key, found: weight, wanted: "at least 0" }),
    }
}

/// Refuses a weight that is not a number.
pub(crate) fn a_number(key: &'static str, weight: f32) -> Result<(), Refused> {
    match weight.is_finite() {
        true => Ok(()),
        false => Err(Refused { key, found: weight, wanted: "a number" }),
    }
}

/// Refuses what is not above 0.
pub(crate) fn above_0(key: &'static str, found: f32) -> Result<(), Refused> {
    match found > 0.0 && found.is_finite() {
        true => Ok(()),
        false => Err(Refused { key, found, wanted: "above 0" }),
    }
}
