//! Distils another system's scores: the divergence of its shares from ours.
//!
//! `Σ_d t_d (ln t_d - ln s_d)` over the documents that the teacher has scored, where t and s are
//! the softmax of each over these.

use std::path::PathBuf;

use burn_tensor::{Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use super::NOTHING;
use super::term::{Parts, Refused, Term, Weight, above_0};
use crate::architecture::values;
use crate::backend::Device;

/// The loss for scores `[queries, documents]` and those of the teacher, NaN where it has none.
///
/// A query for which the teacher has scored fewer than two documents is ignored.
pub(crate) fn teacher<D: Device>(
    scores: Tensor<D, 2>,
    teacher: &[f32],
    temperature: f32,
) -> Tensor<D, 1> {
    let [queries, documents] = scores.dims();
    let rows = || teacher.chunks_exact(documents);
    let known = |row: &&[f32]| row.iter().filter(|score| !score.is_nan()).count() >= 2;
    let counted = rows().filter(known).count();
    let values =
        teacher.iter().map(|&score| if score.is_nan() { NOTHING } else { score / temperature });
    let absent = teacher.iter().map(|score| if score.is_nan() { NOTHING } else { 0.0 });
    let weights = rows().flat_map(|row| vec![f32::from(known(&row)); documents]);
    let device = scores.device();
    let table = |values: Vec<f32>| {
        Tensor::<D, 2>::from_data(TensorData::new(values, [queries, documents]), &device)
    };
    let wanted = activation::softmax(table(values.collect()), 1);
    let ours = activation::log_softmax(scores + table(absent.collect()), 1);
    // 0 ln 0 is 0
    let logs = wanted.clone().clamp_min(1e-20).log();
    let terms = wanted.clone() * (logs - ours.clamp_min(NOTHING)) * table(weights.collect());
    terms.sum() / (counted.max(1) as f32)
}

/// Scores of another system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherSettings {
    /// What the term counts.
    pub weight: f32,
    /// Lines of query id, document id and score, separated by tabs; BM25 by default.
    #[serde(default)]
    pub scores: Option<PathBuf>,
    /// How far the teacher's scores are spread.
    #[serde(default = "one")]
    pub temperature: f32,
}

fn one() -> f32 {
    1.0
}

impl Weight for Option<TeacherSettings> {
    fn weight(&self) -> f32 {
        self.as_ref().map_or(0.0, |settings| settings.weight)
    }
}

/// The searched lane comes near to the scores of another system.
pub(crate) struct Taught;

impl Term for Taught {
    type Settings = Option<TeacherSettings>;

    const KEY: &'static str = "loss.teacher";

    fn check(settings: &Self::Settings) -> Result<(), Refused> {
        let Some(settings) = settings else { return Ok(()) };
        above_0("loss.teacher.weight", settings.weight)?;
        above_0("loss.teacher.temperature", settings.temperature)
    }

    fn value<D: Device>(
        settings: &Self::Settings,
        parts: &Parts<'_, D>,
    ) -> Option<(&'static str, Tensor<D, 1>)> {
        let (settings, known) = (settings.as_ref()?, parts.teacher?);
        Some(("teacher", teacher(parts.lane.clone(), known, settings.temperature)))
    }
}

/// The searched lane comes near to the late interaction of the same batch.
pub(crate) struct Distil;

impl Term for Distil {
    type Settings = f32;

    const KEY: &'static str = "loss.distil";
    const NEEDS_LATE: bool = true;

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        // values, so that nothing flows back: late interaction teaches, and is not taught
        let late = values(parts.late.as_ref()?);
        Some(("distil", teacher(parts.lane.clone(), &late, 1.0)))
    }
}
