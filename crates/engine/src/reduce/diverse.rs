//! Keeps the views that differ most from each other: a determinantal point selection (DPP).
//!
//! Each view is scaled to the length that its weight gives. A set of views spans a volume, whose
//! square is the determinant of `L_ij = <v_i, v_j> * w_i * w_j` over the set: it is large when the
//! views are long and orthogonal. The largest volume is too hard to find, so views are added
//! greedily, each time the one that enlarges the volume most (Chen, Zhang and Zhou, NeurIPS 2018).
//!
//! The volume grows by the length of a view's component outside the span of the chosen ones. The
//! square of this length is the *gain*. The Cholesky factor of `L` has a row for each view and a
//! column for each chosen one; a new column is `(L_ij - <row_i, row_j>) / sqrt(gain_j)`, and the
//! gain of `i` falls by its square. So `k` of `n` views cost `O(n k (dim + k))`, and `k` is at most
//! `dim`.

use crate::vectors::TokenMatrix;
use fastlane_kernels::search::Kernel;

/// It ends when no gain exceeds this share of the largest square: the component of a view outside
/// the span is then only rounding.
const NOTHING: f32 = 1e-5;

/// The most diverse of the rows, at most `count` but at least one, in order.
///
/// Of equal gains the earlier row is chosen. A weight that is not a number counts as 0.
pub(super) fn most_diverse(
    views: &TokenMatrix,
    rows: &[usize],
    weights: Option<&[f32]>,
    count: usize,
) -> Vec<usize> {
    let mut selection = GreedySelection::new(views, rows, weights);
    let mut taken = Vec::new();
    let least = selection.largest_gain().map_or(0.0, |(_, gain)| gain * NOTHING);
    while let Some((place, gain)) = selection.largest_gain() {
        if !taken.is_empty() && (taken.len() >= count || gain <= least) {
            break;
        }
        taken.push(rows[place]);
        selection.take(place);
    }
    taken.sort_unstable();
    taken
}

/// The scaled views, and the gain of each.
struct GreedySelection {
    dim: usize,
    /// Rows of `dim` values.
    views: Vec<f32>,
    gains: Vec<f32>,
    /// The Cholesky factor: for each chosen view, a column with a value for each view.
    columns: Vec<Vec<f32>>,
}

impl GreedySelection {
    fn new(views: &TokenMatrix, rows: &[usize], weights: Option<&[f32]>) -> Self {
        let mut weighted = Vec::with_capacity(rows.len() * views.dim());
        for &row in rows {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            let weight = if weight.is_finite() { weight } else { 0.0 };
            weighted.extend(views.row(row).iter().map(|value| value * weight));
        }
        let squares = weighted.chunks_exact(views.dim());
        let gains = squares.map(|view| view.iter().map(|value| value * value).sum()).collect();
        Self { dim: views.dim(), views: weighted, gains, columns: Vec::new() }
    }

    /// The first view with the largest gain; `None` if all are chosen.
    fn largest_gain(&self) -> Option<(usize, f32)> {
        let gains = self.gains.iter().copied().enumerate();
        let open = gains.filter(|&(_, gain)| gain > f32::NEG_INFINITY);
        open.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// Chooses a view, and reduces the gains of the others by their components in its direction.
    fn take(&mut self, place: usize) {
        let gain = std::mem::replace(&mut self.gains[place], f32::NEG_INFINITY);
        if gain <= 0.0 {
            return;
        }
        let mut column = vec![0.0; self.gains.len()];
        let view = &self.views[place * self.dim..][..self.dim];
        Kernel::best().dots(view, &self.views, &mut column);
        for earlier in &self.columns {
            let shared = earlier[place];
            column.iter_mut().zip(earlier).for_each(|(value, earlier)| *value -= shared * earlier);
        }
        let scale = 1.0 / gain.sqrt();
        for (value, gain) in column.iter_mut().zip(&mut self.gains) {
            *value *= scale;
            *gain -= *value * *value;
        }
        self.columns.push(column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(values: &[f32], weights: Option<&[f32]>, count: usize) -> Vec<usize> {
        let views = TokenMatrix::new(2, values.to_vec());
        let rows: Vec<usize> = (0..views.len()).collect();
        most_diverse(&views, &rows, weights, count)
    }

    #[test]
    fn the_largest_volume_by_hand() {
        // first (0, 3), the longest; then the components orthogonal to it: 1 of (1, 2), 2 of (2,
        // 0.5)
        let views = [1.0, 2.0, 0.0, 3.0, 2.0, 0.5];
        assert_eq!(chosen(&views, None, 1), [1]);
        assert_eq!(chosen(&views, None, 2), [1, 2]);
        // weights make the lengths sqrt(5), 0.3 and sqrt(17) / 2: (2, 0.5) keeps |2 * 2 - 1 * 0.5|
        // / sqrt(5) = 1.57 orthogonal to (1, 2), (0, 0.3) keeps 0.3 / sqrt(5) = 0.13
        assert_eq!(chosen(&views, Some(&[1.0, 0.1, 1.0]), 1), [0]);
        assert_eq!(chosen(&views, Some(&[1.0, 0.1, 1.0]), 2), [0, 2]);
    }

    #[test]
    fn it_ends_when_the_space_is_spanned() {
        let views = [1.0, 0.0, 0.0, 1.0, 0.6, 0.8, 1.0, 0.0];
        assert_eq!(chosen(&views, None, 4), [0, 1]);
        // all in one direction
        assert_eq!(chosen(&[1.0, 1.0, 2.0, 2.0, -3.0, -3.0], None, 3), [2]);
    }

    #[test]
    fn one_is_kept_at_least() {
        assert_eq!(chosen(&[], None, 2), [0; 0]);
        assert_eq!(chosen(&[0.0, 0.0, 0.0, 0.0], None, 2), [0]);
        assert_eq!(chosen(&[1.0, 0.0, 0.0, 1.0], Some(&[0.0, f32::NAN]), 2), [0]);
        assert_eq!(chosen(&[1.0, 0.0, 0.0, 2.0], None, 0), [1]);
    }

    /// The squared length of a vector's component outside the span of others, by Gram-Schmidt.
    fn left(vector: &[f64], basis: &[Vec<f64>]) -> (Vec<f64>, f64) {
        let mut rest = vector.to_vec();
        for unit in basis {
            let product: f64 = rest.iter().zip(unit).map(|(a, b)| a * b).sum();
            rest.iter_mut().zip(unit).for_each(|(rest, unit)| *rest -= product * unit);
        }
        let square = rest.iter().map(|value| value * value).sum();
        (rest, square)
    }

    proptest! {
        #[test]
        fn each_step_gains_the_most(
            values in prop::collection::vec(-1.0..1.0_f32, 0..200),
            weights in prop::collection::vec(0.1..1.0_f32, 50),
            count in 1..8_usize,
        ) {
            let views = TokenMatrix::new(5, values[..values.len() / 5 * 5].to_vec());
            let rows: Vec<usize> = (0..views.len()).collect();
            let weighted = |row: usize| -> Vec<f64> {
                views.row(row).iter().map(|x| f64::from(*x) * f64::from(weights[row])).collect()
            };
            let (mut basis, mut wanted) = (Vec::new(), Vec::new());
            let mut unsure = false;
            while wanted.len() < count.min(views.len()).min(5) {
                let gains: Vec<f64> =
                    rows.iter().map(|&row| left(&weighted(row), &basis).1).collect();
                let best = (0..gains.len()).fold(0, |a, b| if gains[b] > gains[a] { b } else { a });
                let near = gains.iter().filter(|gain| **gain > gains[best] - 1e-5).count();
                unsure |= near > 1 || gains[best] < 1e-3;
                let (rest, square) = left(&weighted(best), &basis);
                basis.push(rest.iter().map(|value| value / square.sqrt()).collect());
                wanted.push(best);
            }
            prop_assume!(!unsure);
            wanted.sort_unstable();
            prop_assert_eq!(most_diverse(&views, &rows, Some(&weights[..views.len()]), count), wanted);
        }
    }
}
