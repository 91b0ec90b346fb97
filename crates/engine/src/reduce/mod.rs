//! Reduces the views of a document before they are written.
//!
//! There are three optional ways, applied in this order: drop views that nearly repeat an earlier
//! one, keep the share of views with the largest weights, keep the few that differ most from each
//! other. Kept views stay in order, and a document with views keeps at least one.
//!
//! ```
//! use fastlane_engine::{Reduction, TokenMatrix};
//!
//! let views = TokenMatrix::new(2, vec![1.0, 0.0, 0.6, 0.8, 0.999, 0.04]);
//! // the third has a cosine of 0.999 with the first
//! assert_eq!(Reduction::default().apply(&views, None), [0, 1]);
//! assert_eq!(Reduction::OFF.apply(&views, None), [0, 1, 2]);
//! ```

mod diverse;
mod duplicates;
mod importance;

use serde::Serialize;

use crate::vectors::TokenMatrix;

/// Which views of a document to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reduction {
    /// Drop a view when its cosine with an earlier one that is kept is above this.
    ///
    /// At 1 or more it drops none; below 0 it may drop nearly all. 0.95 by default.
    pub near_duplicates: Option<f32>,
    /// Keep this share of the views, those with the largest weights, rounded up.
    ///
    /// Without weights it drops none. Off by default.
    pub importance: Option<f32>,
    /// Keep at most this many views: those that span the largest volume when each has its weight as
    /// its length. 0 counts as 1. Off by default.
    ///
    /// Linearly dependent views are dropped too, so at most as many are kept as there are dims.
    pub diverse: Option<usize>,
}

impl Reduction {
    /// Keeps all views.
    pub const OFF: Self = Self { near_duplicates: None, importance: None, diverse: None };

    /// The rows that are kept, in order; at least one if there are any.
    ///
    /// Weights are the importance of each view; without them, all are equal. A NaN weight is the
    /// least.
    ///
    /// Cost: near-duplicates compare a view with at most the last 2,048 kept ones, so a document of
    /// n views takes `2048 * n * dim` multiplications in the worst case; diverse ones take `n *
    /// count * (dim + count)`.
    ///
    /// # Panics
    ///
    /// There are not as many weights as views.
    pub fn apply(&self, views: &TokenMatrix, weights: Option<&[f32]>) -> Vec<usize> {
        if let Some(weights) = weights {
            assert_eq!(weights.len(), views.len(), "a weight for each view");
        }
        let mut kept: Vec<usize> = (0..views.len()).collect();
        if let Some(threshold) = self.near_duplicates {
            kept = duplicates::without(views, threshold);
        }
        if let (Some(share), Some(weights)) = (self.importance, weights) {
            kept = importance::most_important(&kept, weights, share);
        }
        if let Some(count) = self.diverse {
            kept = diverse::most_diverse(views, &kept, weights, count);
        }
        kept
    }
}

impl Default for Reduction {
    /// Drops near-duplicates only.
    fn default() -> Self {
        Self { near_duplicates: Some(0.95), ..Self::OFF }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_steps_follow_each_other() {
        // the second is the first twice as long, the fourth between the others
        let views = TokenMatrix::new(2, vec![1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.6, 0.8]);
        let weights = [0.5, 0.9, 0.4, 0.1];
        let mut reduction = Reduction::default();
        assert_eq!(reduction.apply(&views, Some(&weights)), [0, 2, 3]);
        // 0.6 of 3 views are 2; the heavy second one was dropped before weights are used
        reduction.importance = Some(0.6);
        assert_eq!(reduction.apply(&views, Some(&weights)), [0, 2]);
        assert_eq!(reduction.apply(&views, None), [0, 2, 3]);
        reduction.diverse = Some(1);
        assert_eq!(reduction.apply(&views, Some(&weights)), [0]);
    }

    #[test]
    fn no_views_one_view_and_zero_vectors_are_fine() {
        let all = Reduction { near_duplicates: Some(0.9), importance: Some(0.5), diverse: Some(3) };
        for reduction in [Reduction::OFF, Reduction::default(), all] {
            assert!(reduction.apply(&TokenMatrix::new(3, vec![]), Some(&[])).is_empty());
            assert_eq!(reduction.apply(&TokenMatrix::new(3, vec![0.0; 3]), Some(&[0.0])), [0]);
        }
        let zeros = TokenMatrix::new(3, vec![0.0; 9]);
        // zeros have no angle, so they are not duplicates; but they do not enlarge a volume
        assert_eq!(Reduction::default().apply(&zeros, None), [0, 1, 2]);
        assert_eq!(all.apply(&zeros, None), [0]);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_in_order_and_not_empty(
            values in prop::collection::vec(-1.0..1.0_f32, 1..30),
            near_duplicates in prop::option::of(-1.5..1.5_f32),
            importance in prop::option::of(-0.5..1.5_f32),
            diverse in prop::option::of(0..9_usize),
            weighted in any::<bool>(),
        ) {
            let weights: Vec<f32> = values.iter().map(|value| value * value).collect();
            let views = TokenMatrix::new(2, values.iter().flat_map(|&x| [x, 0.3 - x]).collect());
            let reduction = Reduction { near_duplicates, importance, diverse };
            let kept = reduction.apply(&views, weighted.then_some(&weights));
            prop_assert!(kept.is_sorted_by(|one, next| one < next));
            prop_assert!(!kept.is_empty() && *kept.last().unwrap() < views.len());
            prop_assert!(diverse.is_none_or(|count| kept.len() <= count.max(1)));
        }
    }
}
