//! The top documents of a segment so far, and the score that the next one has to reach.
//!
//! Equal scores rank by falling id, which is the order in which trec_eval judges a run: so the
//! first ten of a thousand hits are the ten that a search for ten finds.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A document by its score, then by its id, of which `ord` is the place in the segment's order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) score: f32,
    pub(super) ord: u64,
}

impl Ord for Ranked {
    /// The greater is the better: the higher score, and the greater id among equals.
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(self.ord.cmp(&other.ord))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

pub(super) struct Top {
    k: usize,
    bar: f32,
    best: BinaryHeap<Reverse<Ranked>>,
}

impl Top {
    /// Keeps the best `k` that reach `bar`, the score of the k-th best in other segments.
    pub(super) fn new(k: usize, bar: f32) -> Self {
        Top { k, bar, best: BinaryHeap::new() }
    }

    /// The score below which a document cannot enter; one that equals it may, by its id.
    pub(super) fn bar(&self) -> f32 {
        self.bar
    }

    pub(super) fn offer(&mut self, candidate: Ranked) {
        self.best.push(Reverse(candidate));
        if self.best.len() > self.k {
            self.best.pop();
        }
        if self.best.len() == self.k {
            let Reverse(worst) = self.best.peek().expect("k is at least 1");
            self.bar = self.bar.max(worst.score);
        }
    }

    /// In no order.
    pub(super) fn into_iter(self) -> impl Iterator<Item = Ranked> {
        self.best.into_iter().map(|Reverse(ranked)| ranked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_enter_by_the_greater_id() {
        let mut top = Top::new(2, 0.0);
        for (score, ord) in [(1.0, 7), (2.0, 9), (1.0, 3), (1.0, 5)] {
            top.offer(Ranked { score, ord });
        }
        assert!((top.bar() - 1.0).abs() < f32::EPSILON);
        let mut kept: Vec<u64> = top.into_iter().map(|ranked| ranked.ord).collect();
        kept.sort_unstable();
        assert_eq!(kept, [7, 9]);
    }
}
