//! The rows of each list.

use rayon::prelude::*;

/// The rows of each list, in ascending order.
#[derive(Debug)]
pub(super) struct Members {
    /// The start of each list's rows, and the end.
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Members {
    /// Groups rows by list.
    pub(super) fn new(list_of: &[u32], lists: usize) -> Self {
        let mut starts = vec![0; lists + 1];
        for &list in list_of {
            starts[list as usize + 1] += 1;
        }
        for list in 0..lists {
            starts[list + 1] += starts[list];
        }
        let (mut next, mut rows) = (starts.clone(), vec![0; list_of.len()]);
        for (row, &list) in (0..).zip(list_of) {
            rows[next[list as usize]] = row;
            next[list as usize] += 1;
        }
        Self { starts, rows }
    }

    /// The number of lists.
    pub(super) fn lists(&self) -> usize {
        self.starts.len() - 1
    }

    /// The rows of a list.
    pub(super) fn of(&self, list: usize) -> &[u32] {
        &self.rows[self.starts[list]..self.starts[list + 1]]
    }

    /// The number of rows of each list.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.starts.windows(2).map(|ends| ends[1] - ends[0]).collect()
    }

    /// Moves each centroid to the mean of its rows; one without rows stays.
    ///
    /// Rows are summed in order, so the result does not depend on the number of threads.
    pub(super) fn centre(&self, dim: usize, values: &[f32], centroids: &mut [f32]) {
        centroids.par_chunks_mut(dim).enumerate().for_each(|(list, centroid)| {
            let rows = self.of(list);
            if !rows.is_empty() {
                centroid.fill(0.0);
                add_up(dim, values, rows, centroid);
            }
        });
    }
}

/// The mean of some rows, added to what is there.
fn add_up(dim: usize, values: &[f32], rows: &[u32], mean: &mut [f32]) {
    for &row in rows {
        for (mean, value) in mean.iter_mut().zip(&values[row as usize * dim..][..dim]) {
            *mean += value;
        }
    }
    let share = 1.0 / rows.len() as f32;
    mean.iter_mut().for_each(|mean| *mean *= share);
}
