//! Splits heavy lists, so that no query has to scan a list much longer than the others.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;

use super::members::Members;
use super::points::square;
use super::sample::{SAME, Sample, drawn};

/// A list is heavy when it has more than this many times the mean.
///
/// It is well under the 20 that an index allows, because a sample differs from the whole.
pub(super) const HEAVY: usize = 8;

/// Spends lists that are empty on the longest, and the shortest ones while a list is longer than
/// the limit. A list of rows that are all the same stays as it is, however long.
///
/// A reassigned list gets a row of the longest list as its centroid, drawn by squared distance; its
/// own rows move to other lists in the next round.
pub(super) fn split_heavy(
    sample: Sample<'_>,
    members: &Members,
    (lists, limit): (Range<usize>, usize),
    centroids: &mut [f32],
    rng: &mut ChaCha8Rng,
) {
    let mut sizes: Vec<usize> = lists.clone().map(|list| members.of(list).len()).collect();
    let mut solid = vec![false; sizes.len()];
    for _ in 0..sizes.len() {
        let open = || (0..sizes.len()).filter(|&list| !solid[list]);
        let shortest = open().min_by_key(|&list| sizes[list]);
        let longest = open().rev().max_by_key(|&list| sizes[list]);
        let (Some(shortest), Some(longest)) = (shortest, longest) else { return };
        let worth = sizes[longest] > limit || (sizes[shortest] == 0 && sizes[longest] > 1);
        if !worth || shortest == longest {
            return;
        }
        let centre = &centroids[(lists.start + longest) * sample.dim..][..sample.dim];
        match far_row(sample, members.of(lists.start + longest), centre, rng) {
            Some(row) => {
                let place = (lists.start + shortest) * sample.dim;
                centroids[place..][..sample.dim].copy_from_slice(sample.row(row));
                sizes[shortest] = sizes[longest] / 2;
                sizes[longest] -= sizes[shortest];
            }
            None => solid[longest] = true,
        }
    }
}

/// A random row, more likely the farther from the centre; `None` if all are identical.
fn far_row(
    sample: Sample<'_>,
    rows: &[u32],
    centre: &[f32],
    rng: &mut ChaCha8Rng,
) -> Option<usize> {
    let around = square(centre);
    let distance = |&row: &u32| {
        let row = sample.row(row as usize);
        let squares = row.iter().zip(centre).map(|(a, b)| (a - b) * (a - b));
        let distance = squares.sum::<f32>();
        if distance > SAME * (around + square(row)) { distance } else { 0.0 }
    };
    let distances: Vec<f32> = rows.iter().map(distance).collect();
    drawn(&distances, rng).map(|place| rows[place] as usize)
}
