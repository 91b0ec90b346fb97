//! Document lanes: a few learned views of a document that are searched in place of all its tokens.
//!
//! Each of K slots pools the states of the document; the mean of the states is one more lane:
//!
//! ```text
//! beta_kj = softmax_j(s_k · K h_j / √d)     u_k = norm(W Σ_j beta_kj h_j)
//! ```
//!
//! With windows, j runs only through the k-th of K parts of the document. Slots without windows
//! converge to the same view, and a question is mostly about one sentence.

use std::ops::Range;

use crate::checkpoint::{CheckpointError, RouterFiles};
use crate::heads::projection::mix;
use crate::heads::router::shares;
use fastlane_kernels::encoder::{Kernel, Output, PackedRows, Panels, Rows};

#[derive(Debug)]
pub(crate) struct DocumentLanes {
    kernel: Kernel,
    count: usize,
    width: usize,
    windows: bool,
    /// The attention queries of all slots, s_k K; nothing without slots.
    asked: Option<Panels>,
}

impl DocumentLanes {
    /// Reads the slots; `None` when documents are searched by all their tokens.
    pub(crate) fn load(
        kernel: Kernel,
        files: &RouterFiles,
        hidden: usize,
    ) -> Result<Option<Self>, CheckpointError> {
        let width = files.config.attention;
        let windows = files.config.document_windows;
        let count = match files.config.document_lanes {
            None => return Ok(None),
            Some(0) => return Ok(Some(Self { kernel, count: 0, width, windows, asked: None })),
            Some(count) => count,
        };
        let slots = files.weights.read("lanes.slots", &[count, width])?;
        let keys = files.weights.read("lanes.key.weight", &[width, hidden])?;
        Ok(Some(Self { windows, ..Self::of(kernel, &slots, &keys, width) }))
    }

    fn of(kernel: Kernel, slots: &[f32], keys: &[f32], width: usize) -> Self {
        let rows = |slot: &[f32]| mix(slot, keys.chunks_exact(keys.len() / width));
        let asked: Vec<f32> = slots.chunks_exact(width).flat_map(rows).collect();
        let count = slots.len() / width;
        let asked = Some(Panels::of_weights(kernel, &asked, &vec![0.0; count]));
        Self { kernel, count, width, windows: false, asked }
    }

    /// Pools states: one row for each slot, then their mean.
    pub(crate) fn pool(&self, states: &[f32], hidden: usize) -> Vec<f32> {
        let tokens = states.len() / hidden;
        let mut scores = vec![0.0; tokens * self.count];
        if let Some(asked) = &self.asked {
            let mut output = Output::all(&mut scores, self.count);
            asked.multiply(Rows::all(states, hidden), &mut PackedRows::default(), &mut output);
        }
        let lane = |slot: usize| {
            let seen = match self.windows {
                true => window(slot, self.count, tokens),
                false => 0..tokens,
            };
            let asked = scores.iter().skip(slot).step_by(self.count).copied();
            let mut beta: Vec<f32> = asked.collect();
            shares(self.kernel, &mut beta[seen.clone()], 1.0 / (self.width as f32).sqrt());
            beta[..seen.start].fill(0.0);
            beta[seen.end..].fill(0.0);
            beta
        };
        let alike = vec![1.0 / tokens as f32; tokens];
        let weights = (0..self.count).map(lane).chain([alike]);
        weights.flat_map(|weights| mix(&weights, states.chunks_exact(hidden))).collect()
    }
}

/// The tokens that a slot pools where slots have windows: at least one, though windows of other
/// slots may share it.
pub fn window(slot: usize, slots: usize, tokens: usize) -> Range<usize> {
    let start = slot * tokens / slots;
    start..((slot + 1) * tokens / slots).max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane_kernels::encoder::Precision;

    #[test]
    fn lanes_by_hand() {
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        // four keys of (ln 3, 0) add up to 4 ln 3 x0, over the root of 4: 2 ln 3 for a half
        let ln_3 = 3.0_f32.ln();
        let keys = [ln_3, 0.0].repeat(4);
        let lanes = DocumentLanes::of(kernel, &[1.0; 4], &keys, 4);
        let pooled = lanes.pool(&[0.0, 1.0, 0.5, 3.0], 2);
        // the second state is worth 3 of 4, then both alike
        let wanted = [0.375, 2.5, 0.25, 2.0];
        assert!(pooled.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{pooled:?}");
    }

    #[test]
    fn windows_part_a_document() {
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        let lanes = DocumentLanes::of(kernel, &[1.0; 8], &[0.0; 8], 4);
        let lanes = DocumentLanes { windows: true, ..lanes };
        // the slot queries are zero: each window is pooled evenly
        let pooled = lanes.pool(&[0.0, 1.0, 2.0, 3.0, 9.0, 5.0], 2);
        assert_eq!(pooled, [0.0, 1.0, 5.5, 4.0, 11.0 / 3.0, 3.0]);
    }

    #[test]
    fn every_token_is_in_a_window_and_no_window_is_empty() {
        for (slots, tokens) in [(1, 1), (8, 1), (8, 5), (8, 8), (8, 100), (3, 7)] {
            let windows: Vec<_> = (0..slots).map(|slot| window(slot, slots, tokens)).collect();
            assert!(windows.iter().all(|it| !it.is_empty() && it.end <= tokens), "{windows:?}");
            assert!((0..tokens).all(|token| windows.iter().any(|it| it.contains(&token))));
        }
    }

    #[test]
    fn without_slots_the_mean_is_the_only_lane() {
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        let lanes = DocumentLanes { kernel, count: 0, width: 4, windows: false, asked: None };
        assert_eq!(lanes.pool(&[0.0, 1.0, 0.5, 3.0], 2), [0.25, 2.0]);
    }
}
