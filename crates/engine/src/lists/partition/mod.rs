//! Divides the space of views into lists, in two levels.
//!
//! Each list has a centroid, and a view belongs to the list whose centroid is nearest (L2). The
//! lists lie in about `sqrt(lists)` groups, whose own centroids tell which few are worth a look.
//! So one view costs some hundred products instead of `lists`.
//!
//! [`Partition::train`] makes one from a sample, [`Partition::assign`] gives many views their
//! lists, [`Partition::probe`] tells a query which lists to scan, and the bytes of an index keep it
//! all. Centroids are values of f16 from the start, so a partition that is read again is the same.
//!
//! # What it costs, and when it fails
//!
//! Measured on a million real token views of 128 dims, on one core: 4,096 lists are learned from
//! 262,144 views in 2.7 s, and all views get their lists in 2.8 s. For 98.8 % it is the nearest of
//! all; the others get one nearly as near, so that the mean square of the distance grows by 0.3 %.
//! Nothing is lost by that, for a code knows its own centroid. The longest list has 5.2 times the
//! mean.
//!
//! Rows that are the same cannot be split: a view that is there a million times makes a long list.
//!
//! # The road not taken
//!
//! With 12 groups for each view instead of those that are near, it is the nearest of all for
//! 99.5 %, at twice the price.

mod bytes;
mod kmeans;
mod members;
mod points;
mod probe;
mod sample;
mod split;
mod train;

#[cfg(test)]
mod tests;

use std::ops::Range;

use rayon::prelude::*;

use self::points::{Points, square};

pub(crate) use self::probe::Wanted;

/// At most so many groups are searched for the centroid nearest to a view,
const PROBED: usize = 10;

/// and none whose square of distance is more than so many times the least.
const FAR: f32 = 1.25;

/// How many views are assigned together, group by group, while the centroids are in the cache.
const TOGETHER: usize = 1_024;

/// Centroids in two levels: groups, and the lists of each group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partition {
    groups: Points,
    /// The first list of each group, and the end.
    starts: Vec<u32>,
    lists: Points,
    /// How far the views of each list lie from its centroid in any one direction: the root of the
    /// mean square.
    radii: Vec<f32>,
}

/// Room for the work on views and queries, to be used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Vectors as long as rows of [`Points`].
    wide: Vec<f32>,
    scores: Vec<f32>,
    groups: Vec<(f32, u32)>,
    /// Each group to look into, with the place of the view to look for.
    wanted: Vec<(u32, u32)>,
    best: Vec<(f32, u32)>,
    found: Vec<(f32, u32)>,
}

impl Partition {
    /// Counts the lists, at least one.
    pub(crate) fn lists(&self) -> usize {
        self.lists.len()
    }

    /// Shows the centroid of a list.
    ///
    /// # Panics
    ///
    /// There are not so many lists.
    pub(crate) fn centroid(&self, list: usize) -> &[f32] {
        self.lists.row(list)
    }

    /// How far the views of a list lie from its centroid in any one direction.
    ///
    /// # Panics
    ///
    /// There are not so many lists.
    pub(crate) fn radius(&self, list: usize) -> f32 {
        self.radii[list]
    }

    /// Finds for each view the list whose centroid is nearest (L2), looked for in the few nearest
    /// groups, on the threads of the caller's pool.
    ///
    /// The first of those equally near; any for a view that is no number.
    ///
    /// # Panics
    ///
    /// The views are not as many as the places for their lists.
    pub(crate) fn assign(&self, views: &[f32], into: &mut [u32]) {
        let dim = self.lists.dim();
        assert_eq!(views.len(), into.len() * dim, "a list for each view");
        let chunks = into.par_chunks_mut(TOGETHER).zip(views.par_chunks(TOGETHER * dim));
        chunks.for_each_init(Scratch::default, |scratch, (into, views)| {
            self.assign_few(views, into, scratch);
        });
    }

    /// Goes group by group instead of view by view, so that a group is read once for many views.
    fn assign_few(&self, views: &[f32], into: &mut [u32], scratch: &mut Scratch) {
        scratch.wanted.clear();
        for (place, view) in (0..).zip(views.chunks_exact(self.lists.dim())) {
            self.choose_groups(view, scratch);
            scratch.wanted.extend(scratch.groups.iter().map(|&(_, group)| (group, place)));
        }
        scratch.wanted.sort_unstable();
        scratch.best.clear();
        scratch.best.resize(into.len(), Points::NONE);
        let Scratch { wide, wanted, best, found, .. } = scratch;
        for wanted in wanted.chunk_by(|(group, _), (next, _)| group == next) {
            wide.clear();
            for &(_, place) in wanted {
                let start = place as usize * self.lists.dim();
                self.lists.widen(&views[start..][..self.lists.dim()], wide);
            }
            self.lists.best(self.lists_of(wanted[0].0 as usize), wide, found);
            for (&(_, place), &found) in wanted.iter().zip(found.iter()) {
                let best = &mut best[place as usize];
                *best = if found.0 > best.0 { found } else { *best };
            }
        }
        for (list, best) in into.iter_mut().zip(best) {
            *list = best.1;
        }
    }

    /// Leaves the groups near a view in the scratch.
    fn choose_groups(&self, view: &[f32], scratch: &mut Scratch) {
        let Scratch { wide, scores, groups, .. } = scratch;
        wide.clear();
        self.groups.widen(view, wide);
        self.groups.products(0..self.groups.len(), wide, scores);
        probe::best(scores, PROBED, groups);
        let nearest = groups.iter().map(|&(score, _)| score).fold(f32::NEG_INFINITY, f32::max);
        let square = square(view);
        let far = FAR * (square - 2.0 * nearest);
        groups.retain(|&(score, _)| score == nearest || square - 2.0 * score <= far);
    }

    fn lists_of(&self, group: usize) -> Range<usize> {
        self.starts[group] as usize..self.starts[group + 1] as usize
    }
}
