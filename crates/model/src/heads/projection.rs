//! Projects hidden states to views: linear maps, then normalisation.

use crate::checkpoint::{CheckpointError, DenseFiles};
use fastlane_kernels::encoder::{Kernel, Output, PackedRows, Panels, Rows};

/// A sequence of maps `y = Wx + b`; if empty, a view is the state itself.
#[derive(Debug)]
pub(crate) struct Projection {
    maps: Vec<Panels>,
    /// The length of a state.
    from: usize,
    /// The dimension of a view.
    dim: usize,
    /// Whether views have unit length.
    normalise: bool,
}

impl Projection {
    pub(crate) fn load(
        kernel: Kernel,
        dense: &[DenseFiles],
        from: usize,
        normalise: bool,
    ) -> Result<Self, CheckpointError> {
        let maps = dense.iter().map(|dense| {
            let weights = dense.weights.read("linear.weight", &[dense.to, dense.from])?;
            let bias = match dense.bias {
                true => dense.weights.read("linear.bias", &[dense.to])?,
                false => vec![0.0; dense.to],
            };
            Ok(Panels::of_weights(kernel, &weights, &bias))
        });
        let maps = maps.collect::<Result<_, CheckpointError>>()?;
        let dim = dense.last().map_or(from, |dense| dense.to);
        Ok(Self { maps, from, dim, normalise })
    }

    /// One map without a bias.
    pub(crate) fn of(kernel: Kernel, weights: &[f32], to: usize, normalise: bool) -> Self {
        let maps = vec![Panels::of_weights(kernel, weights, &vec![0.0; to])];
        Self { maps, from: weights.len() / to, dim: to, normalise }
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn bytes(&self) -> usize {
        self.maps.iter().map(Panels::bytes).sum()
    }

    /// Computes a view for each state.
    pub(crate) fn views(&self, states: &[f32]) -> Vec<f32> {
        let (mut views, mut dim) = (states.to_vec(), self.from);
        for map in &self.maps {
            let mut next = vec![0.0; views.len() / dim * map.columns()];
            let mut output = Output::all(&mut next, map.columns());
            map.multiply(Rows::all(&views, dim), &mut PackedRows::default(), &mut output);
            (views, dim) = (next, map.columns());
        }
        if self.normalise {
            views.chunks_exact_mut(dim).for_each(normalise);
        }
        views
    }
}

/// Scales a vector to unit length; a zero vector stays as it is.
pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
}

/// The weighted sum of rows.
pub(crate) fn mix<'a>(shares: &[f32], rows: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut sum = Vec::new();
    for (&share, row) in shares.iter().zip(rows) {
        sum.resize(row.len(), 0.0);
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += share * value);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane_kernels::encoder::Precision;

    #[test]
    fn views_by_hand() {
        // the map swaps and doubles (3 4) to (8 6), which has length 10
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        let map = Projection::of(kernel, &[0.0, 2.0, 2.0, 0.0], 2, true);
        assert_eq!(map.views(&[3.0, 4.0, 0.0, 0.0]), [0.8, 0.6, 0.0, 0.0]);
        let none = Projection { maps: Vec::new(), from: 2, dim: 2, normalise: true };
        assert_eq!(none.views(&[3.0, 4.0]), [0.6, 0.8]);
        let plain = Projection { normalise: false, ..none };
        assert_eq!(plain.views(&[3.0, 4.0]), [3.0, 4.0]);
    }

    #[test]
    fn a_mix_by_hand() {
        let rows = [[1.0, 2.0].as_slice(), &[3.0, 4.0]];
        assert_eq!(mix(&[0.25, 0.75], rows.into_iter()), [2.5, 3.5]);
    }
}
