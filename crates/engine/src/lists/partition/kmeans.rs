//! K-means on one level: each centroid is the mean of the rows nearest to it.
//!
//! It starts with k-means++: each seed is a row drawn with probability proportional to its squared
//! distance from the seeds so far. Identical rows never give two seeds, so there may be fewer
//! centroids than requested. Empty lists, and light ones while another is heavy, are reassigned to
//! the heaviest.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use rayon::prelude::*;

use super::TOGETHER;
use super::members::Members;
use super::points::Points;
use super::sample::{SAME, Sample, drawn};
use super::split::{HEAVY, split_heavy};
use fastlane_kernels::search::Kernel;

/// The number of Lloyd iterations.
const ROUNDS: usize = 8;

/// Seeds are drawn from this many rows per seed.
const ROWS_A_SEED: usize = 16;

impl Sample<'_> {
    /// At most `count` distinct centroids.
    pub(super) fn centroids(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let seeds = self.thinned(count.saturating_mul(ROWS_A_SEED));
        let mut centroids = Sample { values: &seeds, ..self }.seeds(count, rng);
        let limit = HEAVY * self.len() / (centroids.len() / self.dim);
        for round in 0..ROUNDS {
            if self.is_stopped() {
                break;
            }
            let members = self.members(&centroids);
            members.centre(self.dim, self.values, &mut centroids);
            if round + 1 < ROUNDS {
                let lists = 0..members.lists();
                split_heavy(self, &members, (lists, limit), &mut centroids, rng);
            }
        }
        centroids
    }

    /// At most `count` rows, evenly spread.
    pub(super) fn thinned(self, count: usize) -> Vec<f32> {
        let count = count.min(self.len());
        let row = |place: usize| self.row(place * self.len() / count);
        (0..count).flat_map(row).copied().collect()
    }

    /// The rows nearest to each centroid.
    pub(super) fn members(self, centroids: &[f32]) -> Members {
        let points = Points::rounded(self.dim, centroids.to_vec());
        let mut list_of = vec![0; self.len()];
        let chunks = list_of.par_chunks_mut(TOGETHER);
        let chunks = chunks.zip(self.values.par_chunks(TOGETHER * self.dim));
        chunks.for_each_init(<(Vec<f32>, Vec<_>)>::default, |(wide, found), (list_of, rows)| {
            wide.clear();
            rows.chunks_exact(self.dim).for_each(|row| points.widen(row, wide));
            points.best(0..points.len(), wide, found);
            list_of.iter_mut().zip(found).for_each(|(list, found)| *list = found.1);
        });
        Members::new(&list_of, points.len())
    }

    /// Draws seeds by k-means++.
    fn seeds(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let squares: Vec<f32> = self.values.chunks_exact(self.dim).map(square).collect();
        let mut distances = vec![f32::INFINITY; self.len()];
        let mut products = vec![0.0; self.len()];
        let mut seeds = Vec::with_capacity(count * self.dim);
        let mut next = Some(below(self.len(), rng));
        let wanted = |seeds: &Vec<f32>| seeds.len() < count * self.dim && !self.is_stopped();
        while let Some(seed) = next.filter(|_| seeds.is_empty() || wanted(&seeds)) {
            seeds.extend_from_slice(self.row(seed));
            Kernel::best().dots(self.row(seed), self.values, &mut products);
            for ((distance, product), of_row) in distances.iter_mut().zip(&products).zip(&squares) {
                let both = of_row + squares[seed];
                let found = both - 2.0 * product;
                *distance = distance.min(if found > SAME * both { found } else { 0.0 });
            }
            next = drawn(&distances, rng);
        }
        seeds
    }
}

/// The square of a row's length, summed in the same order as its product with an equal row.
fn square(row: &[f32]) -> f32 {
    let mut square = [0.0];
    Kernel::best().dots(row, row, &mut square);
    square[0]
}

/// A random place below `count`: the high half of a product, whose bias of count / 2^64 is nothing.
fn below(count: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}
