//! Selects the lists that a query scans.
//!
//! The products of a query with the views of a list scatter around the product with the centroid,
//! more so the larger the list's radius. So the value of a list is an estimate of its best product:
//! the product with the centroid plus a few radii. By centroids alone, twice as many lists are
//! needed for the same recall: the lists of rare tokens are wide, and their best views come late.
//!
//! All lists are rated, which takes 0.2 ms for the 19,000 lists of ten million views. Rating groups
//! first would save half of that, but a good view may lie in a wide list of a group that looks
//! distant.

use std::cmp::Ordering;

use super::{Partition, Scratch};

/// Parameters of a probe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeRequest<'a> {
    /// A query of the centroids' dimension.
    pub(crate) query: &'a [f32],
    /// How many radii are added to the product with the centroid.
    pub(crate) reach: f32,
    /// The number of lists.
    pub(crate) count: usize,
}

impl Partition {
    /// The lists with the largest inner product of query and centroid plus `reach` times their
    /// radius, best first, with that sum; ties by list number.
    ///
    /// # Panics
    ///
    /// The query does not have the dimension of the centroids.
    pub(crate) fn probe(
        &self,
        wanted: ProbeRequest<'_>,
        scratch: &mut Scratch,
        into: &mut Vec<(f32, u32)>,
    ) {
        let ProbeRequest { query, reach, count } = wanted;
        assert_eq!(query.len(), self.lists.dim(), "a query as long as a centroid");
        scratch.wide.clear();
        self.lists.widen_query(query, &mut scratch.wide);
        self.lists.products(0..self.lists(), &scratch.wide, &mut scratch.scores);
        let scores = scratch.scores.iter_mut();
        scores.zip(&self.radii).for_each(|(score, radius)| *score += reach * radius);
        best(&scratch.scores, count, into);
        into.sort_unstable_by(better);
    }
}

/// Stores the largest scores with their indices, unordered; of equal ones the first.
pub(super) fn best(scores: &[f32], count: usize, into: &mut Vec<(f32, u32)>) {
    into.clear();
    if count == 0 {
        return;
    }
    let room = count.saturating_mul(2).max(128);
    let mut least = f32::NEG_INFINITY;
    for (place, &score) in (0..).zip(scores) {
        // a later one must exceed the least kept score, as the earlier wins a tie
        if into.len() >= count && score.total_cmp(&least).is_le() {
            continue;
        }
        into.push((score, place));
        if into.len() == room {
            keep_best(count, into);
            least = into[count - 1].0;
        }
    }
    keep_best(count, into);
}

/// Keeps the best ones, unordered except that the least is last.
fn keep_best(count: usize, found: &mut Vec<(f32, u32)>) {
    if count == 0 {
        found.clear();
    } else if found.len() > count {
        found.select_nth_unstable_by(count - 1, better);
        found.truncate(count);
    }
}

/// The larger score comes first, and of equal ones the smaller number.
fn better(one: &(f32, u32), other: &(f32, u32)) -> Ordering {
    other.0.total_cmp(&one.0).then(one.1.cmp(&other.1))
}
