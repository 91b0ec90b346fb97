//! Another system's scores to come near to: the divergence of its shares from ours.
//!
//! `Σ_d t_d (ln t_d - ln s_d)` over the documents that the teacher has scored, t and s each the
//! softmax over these.

use burn_tensor::{Tensor, TensorData, activation};

use super::NOTHING;
use crate::backend::Device;

/// The loss for scores `[queries, documents]` and those of the teacher, NaN where it has none.
///
/// A query for which the teacher has scored fewer than two documents takes no part.
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
