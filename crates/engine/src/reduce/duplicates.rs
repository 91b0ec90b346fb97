//! Drops views that nearly repeat an earlier one.
//!
//! A view is dropped when its cosine with an earlier view that is kept is above the threshold. It
//! is compared only with the last [`WINDOW`] kept views, so that a document of 100,000 views takes
//! seconds instead of minutes. Documents with up to that many views lose every near-duplicate.

use crate::vectors::TokenMatrix;
use fastlane_kernels::search::Kernel;

/// A view is compared with this many of the last kept views.
const WINDOW: usize = 2_048;

/// Views compared between two checks whether one was near.
const BLOCK: usize = 64;

/// The rows that are not near-duplicates of an earlier one, in order.
///
/// A zero vector has no angle: its cosine counts as 0.
pub(super) fn without(views: &TokenMatrix, threshold: f32) -> Vec<usize> {
    without_within(views, threshold, WINDOW)
}

fn without_within(views: &TokenMatrix, threshold: f32, window: usize) -> Vec<usize> {
    let dim = views.dim();
    let (mut kept, mut directions) = (Vec::new(), Vec::<f32>::new());
    for (place, view) in views.rows().enumerate() {
        let view = direction(view);
        let recent = directions.len().saturating_sub(window * dim);
        if has_near(&view, &directions[recent..], threshold) {
            continue;
        }
        kept.push(place);
        directions.extend_from_slice(&view);
        // up to twice the window, so that old directions are dropped rarely
        if directions.len() >= 2 * window * dim {
            directions.drain(..window * dim);
        }
    }
    kept
}

/// The vector at unit length; zeros stay.
fn direction(view: &[f32]) -> Vec<f32> {
    let length = view.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    view.iter().map(|&value| (f64::from(value) * scale) as f32).collect()
}

/// Returns whether one of the directions is near, comparing the latest block first.
fn has_near(view: &[f32], directions: &[f32], threshold: f32) -> bool {
    let mut cosines = [0.0; BLOCK];
    directions.rchunks(BLOCK * view.len()).any(|block| {
        let cosines = &mut cosines[..block.len() / view.len()];
        Kernel::best().dots(view, block, cosines);
        cosines.iter().any(|&cosine| cosine > threshold)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_view_near_an_earlier_kept_one_is_dropped() {
        // the cosines with the first: 0.8 for (4, 3), 0.6 for (3, 4); 0.96 between the two
        let views = TokenMatrix::new(2, vec![1.0, 0.0, 4.0, 3.0, 3.0, 4.0, -1.0, 0.0]);
        assert_eq!(without(&views, 0.97), [0, 1, 2, 3]);
        assert_eq!(without(&views, 0.9), [0, 1, 3]);
        // the second is dropped, so the third has no near view
        assert_eq!(without(&views, 0.7), [0, 2, 3]);
        // the opposite of a vector has a cosine of -1
        assert_eq!(without(&views, -0.5), [0, 3]);
        assert_eq!(without(&views, -1.5), [0]);
        assert_eq!(without(&views, f32::NAN), [0, 1, 2, 3]);
    }

    #[test]
    fn only_the_last_ones_kept_are_compared() {
        let views = TokenMatrix::new(2, vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 1.0, 0.0]);
        assert_eq!(without_within(&views, 0.5, 3), [0, 1, 2]);
        assert_eq!(without_within(&views, 0.5, 2), [0, 1, 2, 3]);
    }

    #[test]
    fn very_long_and_very_short_vectors_have_an_angle() {
        let views = TokenMatrix::new(2, vec![3e30, 0.0, 2e-30, 0.0, 0.0, 1e-40]);
        assert_eq!(without(&views, 0.95), [0, 2]);
    }

    fn cosine(one: &[f32], other: &[f32]) -> f64 {
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let lengths = (product(one, one) * product(other, other)).sqrt();
        if lengths > 0.0 { product(one, other) / lengths } else { 0.0 }
    }

    proptest! {
        #[test]
        fn the_kept_are_those_of_plain_comparison(
            values in prop::collection::vec(-3..4_i8, 0..300),
            threshold in 0.0..1.0_f32,
            window in 1..40_usize,
        ) {
            let values: Vec<f32> = values.iter().map(|&value| f32::from(value)).collect();
            let views = TokenMatrix::new(3, values[..values.len() / 3 * 3].to_vec());
            let (mut kept, mut unsure) = (Vec::new(), false);
            for (place, view) in views.rows().enumerate() {
                let recent = kept.iter().rev().take(window);
                let cosines = recent.map(|&earlier| cosine(view, views.row(earlier)));
                let nearest = cosines.fold(f64::NEG_INFINITY, f64::max);
                unsure |= (nearest - f64::from(threshold)).abs() < 1e-5;
                if nearest <= f64::from(threshold) {
                    kept.push(place);
                }
            }
            prop_assume!(!unsure);
            prop_assert_eq!(without_within(&views, threshold, window), kept);
        }
    }
}
