//! Learns a partition from a sample of views.
//!
//! K-means finds the groups, then the lists inside each group, in proportion to its share of the
//! rows. Last, all lists move once more (Lloyd), with rows assigned as they will be later.

use std::sync::atomic::AtomicBool;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rayon::prelude::*;

use super::Partition;
use super::members::Members;
use super::points::Points;
use super::sample::Sample;
use super::split::{HEAVY, split_heavy};

/// Groups are learned from this many rows per group.
const ROWS_A_GROUP: usize = 256;

/// The least number of final Lloyd iterations,
const ROUNDS: usize = 1;

/// and the most, while a list is heavy.
const MOST_ROUNDS: usize = 4;

impl Partition {
    /// Learns at most `lists` lists in about `sqrt(lists)` groups. The result depends on the seed,
    /// not on the number of threads.
    ///
    /// The longest list has less than 20 times the mean, unless its rows are identical: these
    /// cannot be separated. There are fewer lists than requested when the sample has fewer distinct
    /// rows or many copies of one row, and one list when it is empty.
    ///
    /// Once `stop` is set, it returns soon, with lists that are not usable.
    pub(crate) fn train(
        dim: usize,
        sample: &[f32],
        lists: usize,
        seed: u64,
        stop: &AtomicBool,
    ) -> Self {
        let sample = Sample { dim, values: sample, stop };
        if sample.len() == 0 {
            return Self::of_lists(dim, &[vec![0.0; dim]]);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut partition = Self::two_level(sample, lists.clamp(1, sample.len()), &mut rng);
        let mut members = partition.members(sample);
        for round in 0..MOST_ROUNDS {
            let limit = HEAVY * sample.len() / partition.lists();
            let heavy = members.sizes().iter().any(|&size| size > limit);
            if (round >= ROUNDS && !heavy) || sample.is_stopped() {
                break;
            }
            partition.improve(sample, &members, limit, &mut rng);
            members = partition.members(sample);
        }
        partition.radii = partition.spread(sample, &members);
        partition.without_empty(&members)
    }

    /// Groups first, then the lists of each.
    fn two_level(sample: Sample<'_>, lists: usize, rng: &mut ChaCha8Rng) -> Self {
        let wanted = (lists as f64).sqrt().round() as usize;
        let thinned = sample.thinned(wanted * ROWS_A_GROUP);
        let groups = Sample { values: &thinned, ..sample }.centroids(wanted, rng);
        let members = sample.members(&groups);
        let shares = shares(&members.sizes(), lists);
        let lists: Vec<Vec<f32>> = shares
            .into_par_iter()
            .enumerate()
            .filter(|&(_, share)| share > 0)
            .map(|(group, share)| {
                let rows = members.of(group).iter().flat_map(|&row| sample.row(row as usize));
                let values: Vec<f32> = rows.copied().collect();
                let mut rng = rng.clone();
                rng.set_stream(group as u64 + 1);
                Sample { values: &values, ..sample }.centroids(share, &mut rng)
            })
            .collect();
        Self::of_lists(sample.dim, &lists)
    }

    /// Combines the lists of the groups; each group's centroid is the mean of its lists.
    fn of_lists(dim: usize, lists: &[Vec<f32>]) -> Self {
        let mut starts = vec![0];
        let mut groups = Vec::new();
        for lists in lists {
            let count = lists.len() / dim;
            starts.push(starts[starts.len() - 1] + count as u32);
            groups.extend(middle(dim, lists, &vec![1; count]));
        }
        let (groups, lists) = (Points::rounded(dim, groups), Points::rounded(dim, lists.concat()));
        let radii = vec![0.0; lists.len()];
        Self { groups, starts, lists, radii }
    }

    fn members(&self, sample: Sample<'_>) -> Members {
        let mut list_of = vec![0; sample.len()];
        self.assign(sample.values, &mut list_of);
        Members::new(&list_of, self.lists())
    }

    /// Moves lists and groups to the mean of their rows, and splits heavy lists.
    fn improve(
        &mut self,
        sample: Sample<'_>,
        members: &Members,
        limit: usize,
        rng: &mut ChaCha8Rng,
    ) {
        let dim = sample.dim;
        let mut lists = self.lists.values().to_vec();
        members.centre(dim, sample.values, &mut lists);
        let (sizes, mut groups) = (members.sizes(), Vec::new());
        for group in 0..self.starts.len() - 1 {
            let range = self.lists_of(group);
            let values = &lists[range.start * dim..range.end * dim];
            groups.extend(middle(dim, values, &sizes[range.clone()]));
            split_heavy(sample, members, (range, limit), &mut lists, rng);
        }
        self.groups = Points::rounded(dim, groups);
        self.lists = Points::rounded(dim, lists);
    }

    /// The radius of each list.
    ///
    /// A centroid is the mean of its n rows, so their squared distances have n - 1 degrees of
    /// freedom: the mean over all lists stands in for the missing one.
    fn spread(&self, sample: Sample<'_>, members: &Members) -> Vec<f32> {
        let squares = |list: usize| {
            let row = |&row: &u32| distance(sample.row(row as usize), self.centroid(list));
            members.of(list).iter().map(row).sum::<f32>()
        };
        let squares: Vec<f32> = (0..self.lists()).into_par_iter().map(squares).collect();
        let mean = squares.iter().sum::<f32>() / sample.len() as f32;
        let radius = |(square, &size): (&f32, &usize)| {
            ((square + mean) / (size.max(1) * sample.dim) as f32).sqrt()
        };
        squares.iter().zip(&members.sizes()).map(radius).collect()
    }

    /// Drops lists without rows, and groups without lists.
    fn without_empty(&self, members: &Members) -> Self {
        let dim = self.lists.dim();
        let (mut starts, mut groups, mut lists) = (vec![0], Vec::new(), Vec::new());
        let mut radii = Vec::new();
        for group in 0..self.groups.len() {
            for list in self.lists_of(group).filter(|&list| !members.of(list).is_empty()) {
                lists.extend_from_slice(self.centroid(list));
                radii.push(self.radius(list));
            }
            let end = (lists.len() / dim) as u32;
            if starts.last() != Some(&end) {
                starts.push(end);
                groups.extend_from_slice(self.groups.row(group));
            }
        }
        let (groups, lists) = (Points::new(dim, groups), Points::new(dim, lists));
        Self { groups, starts, lists, radii }
    }
}

/// The square of the distance between two rows.
fn distance(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The weighted mean of some rows; the plain mean if all weights are 0.
fn middle(dim: usize, rows: &[f32], counts: &[usize]) -> Vec<f32> {
    let total: usize = counts.iter().sum();
    let mut middle = vec![0.0; dim];
    for (row, &count) in rows.chunks_exact(dim).zip(counts) {
        let share = match total {
            0 => 1.0 / counts.len() as f32,
            _ => count as f32 / total as f32,
        };
        middle.iter_mut().zip(row).for_each(|(middle, value)| *middle += share * value);
    }
    middle
}

/// The number of lists per group: one, plus a share of the rest in proportion to its other rows;
/// none without rows. The total is as requested if there are enough rows and not more groups.
fn shares(sizes: &[usize], lists: usize) -> Vec<usize> {
    let others: usize = sizes.iter().map(|size| size.saturating_sub(1)).sum();
    let rest = lists.saturating_sub(sizes.iter().filter(|&&size| size > 0).count());
    let part = |before: usize| rest * before / others.max(1);
    let mut before = 0;
    let share = |&size: &usize| {
        let after = before + size.saturating_sub(1);
        let share = size.min(1) + part(after) - part(before);
        before = after;
        share
    };
    sizes.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_shared_out_by_rows() {
        // 4 groups with rows take a list each; 6 are left for 4 + 0 + 19 + 1 other rows, of which
        // 4 are worth 1, 23 are worth 5.75 and 24 are worth 6
        assert_eq!(shares(&[5, 1, 0, 20, 2], 10), [2, 1, 0, 5, 2]);
        assert_eq!(shares(&[5, 1, 0, 20, 2], 28), [5, 1, 0, 20, 2]);
        assert_eq!(shares(&[1, 1], 2), [1, 1]);
    }

    #[test]
    fn the_middle_counts_rows_as_often_as_it_is_told() {
        let rows = [0.0, 4.0, 8.0, 0.0];
        assert_eq!(middle(2, &rows, &[3, 1]), [2.0, 3.0]);
        assert_eq!(middle(2, &rows, &[0, 0]), [4.0, 2.0]);
    }
}
