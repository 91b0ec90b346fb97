//! Keeps the views with the largest weights.

/// The given share of the rows, those with the largest weights, rounded up to at least one; of
/// equal weights the earlier row.
///
/// The rows are in order, before and after. A NaN weight is the least.
pub(super) fn most_important(rows: &[usize], weights: &[f32], share: f32) -> Vec<usize> {
    let count = (rows.len() as f32 * share.clamp(0.0, 1.0)).ceil() as usize;
    let mut kept = rows.to_vec();
    kept.sort_by(|&one, &other| weight(weights[other]).total_cmp(&weight(weights[one])));
    kept.truncate(count.max(1));
    kept.sort_unstable();
    kept
}

/// A weight for comparison: adding 0 turns -0 into 0.
fn weight(weight: f32) -> f32 {
    if weight.is_nan() { f32::NEG_INFINITY } else { weight + 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_heaviest_share_is_kept_in_order() {
        let weights = [0.3, 0.1, 0.9, 0.3, 0.3];
        let rows = [0, 1, 2, 3, 4];
        // a fifth is one row, a little more is two: then the first of those with 0.3
        assert_eq!(most_important(&rows, &weights, 0.2), [2]);
        assert_eq!(most_important(&rows, &weights, 0.21), [0, 2]);
        assert_eq!(most_important(&rows, &weights, 0.6), [0, 2, 3]);
        assert_eq!(most_important(&rows, &weights, 1.0), rows);
        assert_eq!(most_important(&[1, 4], &weights, 0.5), [4]);
    }

    #[test]
    fn one_is_kept_at_least_and_all_at_most() {
        let weights = [f32::NAN, -0.0, 0.0];
        assert_eq!(most_important(&[0, 1, 2], &weights, 0.0), [1]);
        assert_eq!(most_important(&[0, 1, 2], &weights, f32::NAN), [1]);
        assert_eq!(most_important(&[0, 1, 2], &weights, 7.0), [0, 1, 2]);
        assert_eq!(most_important(&[], &weights, 0.5), [0; 0]);
    }

    proptest! {
        #[test]
        fn nothing_dropped_is_heavier_than_what_is_kept(
            weights in prop::collection::vec(-3..4_i8, 1..40),
            share in 0.0..1.0_f32,
        ) {
            let weights: Vec<f32> = weights.iter().map(|&weight| f32::from(weight)).collect();
            let rows: Vec<usize> = (0..weights.len()).collect();
            let kept = most_important(&rows, &weights, share);
            // those before a row in the ranking: larger weight, or the same weight and an earlier
            // row
            let before = |row: usize| {
                let heavier = rows.iter().filter(|&&other| weights[other] > weights[row]).count();
                heavier + (0..row).filter(|&other| weights[other] == weights[row]).count()
            };
            let count = ((weights.len() as f32 * share).ceil() as usize).max(1);
            let wanted: Vec<usize> =
                rows.iter().copied().filter(|&row| before(row) < count).collect();
            prop_assert_eq!(kept, wanted);
        }
    }
}
