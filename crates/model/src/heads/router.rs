//! The router: computes the share of a query's intent that each of its tokens carries (alpha).
//!
//! A self-attention head attends from each token to all, and a dense layer maps its output and the
//! token itself to one number:
//!
//! ```text
//! A_ij = softmax_j(Q(v_i) · K(v_j) / √d)     c_i = Σ_j A_ij V(v_j)
//! alpha = softmax_i(dense(c_i, v_i))
//! ```
//!
//! This is equation 3 of arXiv 2601.06389. The input `v` is the states of the encoder or the views.
//! The router is small, so it computes in f32 on every CPU: a rounding error could change the
//! choice of a lane.

use crate::checkpoint::{CheckpointError, RouterFiles, RouterInput};
use fastlane_kernels::encoder::{Kernel, Output, PackedRows, Panels, Rows};

#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) input: RouterInput,
    kernel: Kernel,
    width: usize,
    /// The query, key and value projections, concatenated.
    project: Panels,
    /// The dense weights for the attention output, then for the token itself.
    dense: Vec<f32>,
    bias: f32,
}

impl Router {
    /// Loads the router for tokens of a given length.
    pub(crate) fn load(
        kernel: Kernel,
        files: &RouterFiles,
        from: usize,
    ) -> Result<Self, CheckpointError> {
        let (weights, width) = (&files.weights, files.config.attention);
        let (mut all, mut biases) = (Vec::new(), Vec::new());
        for part in ["query", "key", "value"] {
            all.extend(weights.read(&format!("attention.{part}.weight"), &[width, from])?);
            biases.extend(weights.read(&format!("attention.{part}.bias"), &[width])?);
        }
        Ok(Self {
            input: files.config.input,
            kernel,
            width,
            project: Panels::of_weights(kernel, &all, &biases),
            dense: weights.read("dense.weight", &[1, width + from])?,
            bias: weights.read("dense.bias", &[1])?[0],
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.project.bytes() + size_of_val(self.dense.as_slice())
    }

    /// Returns the share of each token; the shares add up to 1.
    pub(crate) fn alpha(&self, tokens: &[f32]) -> Vec<f32> {
        let Self { kernel, width, .. } = *self;
        let (see, be) = self.dense.split_at(width);
        let (count, from) = (tokens.len() / be.len(), be.len());
        let mut projected = vec![0.0; count * 3 * width];
        let mut left = PackedRows::default();
        let mut output = Output::all(&mut projected, 3 * width);
        self.project.multiply(Rows::all(tokens, from), &mut left, &mut output);
        let part = |which: usize| {
            let values = &projected[which * width..];
            Rows { values, stride: 3 * width, count, width }
        };
        let mut keys = Panels::empty(kernel);
        keys.fill_transposed(part(1));
        let mut fits = vec![0.0; count * count];
        keys.multiply(part(0), &mut left, &mut Output::all(&mut fits, count));
        // the dense layer comes before the sum over tokens: both are linear
        let worth: Vec<f32> = (0..count).map(|token| dot(see, part(2).row(token))).collect();
        let mut logits: Vec<f32> = (fits.chunks_exact_mut(count).zip(tokens.chunks_exact(from)))
            .map(|(fits, token)| {
                let sum = kernel.softmax(fits, 1.0 / (width as f32).sqrt());
                dot(fits, &worth) / sum + dot(be, token) + self.bias
            })
            .collect();
        shares(kernel, &mut logits, 1.0);
        logits
    }
}

/// Turns scores, times a scale, into shares that add up to 1 (softmax).
pub(crate) fn shares(kernel: Kernel, scores: &mut [f32], scale: f32) {
    let sum = kernel.softmax(scores, scale);
    scores.iter_mut().for_each(|score| *score /= sum);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane_kernels::encoder::Precision;

    #[test]
    fn alpha_by_hand() {
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        // tokens of one number; a key of ln 4 x, a query of 1: token 1 is seen four times as
        // much as token 0; values are the numbers, so each token sees 0.2 * 0 + 0.8 * 1
        let ln_4 = 4.0_f32.ln();
        let project = Panels::of_weights(kernel, &[0.0, ln_4, 1.0], &[1.0, 0.0, 0.0]);
        let dense = vec![10.0, 3.0_f32.ln()];
        let input = RouterInput::Views;
        let router = Router { input, kernel, width: 1, project, dense, bias: -7.0 };
        // the logits are 10 * 0.8 - 7 + ln 3 * x: the equal part cancels out
        let alpha = router.alpha(&[0.0, 1.0]);
        assert!((alpha[0] - 0.25).abs() < 1e-6 && (alpha[1] - 0.75).abs() < 1e-6, "{alpha:?}");
    }

    #[test]
    fn what_tokens_see_counts() {
        let kernel = Kernel::choose(Precision::Portable).unwrap();
        // the query is ln 4 x, the key x, the value x: token 1 sees 0.8, token 0 sees 0.5
        let ln_4 = 4.0_f32.ln();
        let project = Panels::of_weights(kernel, &[ln_4, 1.0, 1.0], &[0.0; 3]);
        let dense = vec![9.0_f32.ln() / 0.3, 0.0];
        let input = RouterInput::States;
        let router = Router { input, kernel, width: 1, project, dense, bias: 0.0 };
        let alpha = router.alpha(&[0.0, 1.0]);
        assert!((alpha[1] - 0.9).abs() < 1e-5, "{alpha:?}");
    }
}
