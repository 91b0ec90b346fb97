//! Brings searched views near to those of another system: LEAF's alignment, without labels.
//!
//! `|u - t|^2` for a view u and the teacher's view t of the same text, as a mean over the views of
//! queries, the same of documents, and the mean of both.

use burn_tensor::Tensor;

use super::term::{Aligned, Parts, Term};
use crate::architecture::values;
use crate::backend::Device;

/// The loss of queries or documents; `None` if the teacher has views of none of them.
fn distance<D: Device>(aligned: &Aligned<D>) -> Option<Tensor<D, 1>> {
    let count: f32 = values(&aligned.known).iter().sum();
    let apart = (aligned.ours.clone() - aligned.theirs.clone()).powi_scalar(2);
    (count > 0.0).then(|| (apart * aligned.known.clone()).sum() / count)
}

/// The squared distance of searched views to a teacher's.
pub(crate) struct Alignment;

impl Term for Alignment {
    type Settings = f32;

    const KEY: &'static str = "loss.alignment";
    const NEEDS_VIEWS: bool = true;

    fn value<D: Device>(_: &f32, parts: &Parts<'_, D>) -> Option<(&'static str, Tensor<D, 1>)> {
        let sides: Vec<_> = parts.views.iter().filter_map(distance).collect();
        let count = sides.len();
        let sum = sides.into_iter().reduce(|a, b| a + b)?;
        Some(("alignment", sum / count as f32))
    }
}

#[cfg(test)]
mod tests {
    use burn_tensor::TensorData;

    use super::*;
    use crate::backend::Cpu;

    fn aligned(ours: [f32; 6], theirs: [f32; 6], known: [f32; 3]) -> Aligned<Cpu> {
        let table = |values: &[f32], shape: [usize; 2]| {
            Tensor::from_data(TensorData::new(values.to_vec(), shape), &Default::default())
        };
        Aligned {
            ours: table(&ours, [3, 2]).require_grad(),
            theirs: table(&theirs, [3, 2]),
            known: table(&known, [3, 1]),
        }
    }

    #[test]
    fn distances_by_hand() {
        let _alone = crate::backend::alone();
        let ours = [1.0, 0.0, 0.0, 1.0, 5.0, 5.0];
        let it = aligned(ours, [0.0, 1.0, 0.0, 0.5, 0.0, 0.0], [1.0, 1.0, 0.0]);
        // 1 + 1, and a quarter; the third has no teacher
        let found = distance(&it).unwrap();
        assert_eq!(values(&found), [1.125]);
        // 2 (u - t) over the two that count
        let gradient = it.ours.grad(&found.backward()).unwrap();
        assert_eq!(values(&gradient), [1.0, -1.0, 0.0, 0.5, 0.0, 0.0]);
        assert!(distance(&aligned(ours, ours, [0.0; 3])).is_none());
    }
}
