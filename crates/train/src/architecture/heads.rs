//! The heads of `fastlane-model` with gradients: projections, router and document lanes.
//!
//! Tables with one row per query are padded to the longest query, `[queries, longest]`: they are
//! small.

use burn_tensor::{Tensor, TensorData, activation};

use fastlane_model::window;

use super::weights::Weights;
use crate::backend::{Device, Linear, Spans};

/// The value of a logit where there is no token: its share becomes 0.
const NOTHING: f32 = -1e9;

/// The projections of a tower; tied towers share them.
pub(crate) struct Projections<D: Device> {
    /// States to token views, a sequence of maps.
    tokens: Vec<Linear<D>>,
    /// States to lane views, if these have a separate map.
    lanes: Option<Linear<D>>,
    normalise: bool,
}

impl<D: Device> Projections<D> {
    /// Finds the maps of a side; `tower` may be that of the other side.
    pub(crate) fn of(weights: &Weights<D>, tower: &str, side: &str, normalise: bool) -> Self {
        let name = |number| format!("{tower}dense.{number}.linear");
        let numbers = (0..).take_while(|number| weights.has(&format!("{}.weight", name(*number))));
        let tokens = numbers.map(|number| weights.linear(&name(number))).collect();
        let lanes = format!("router.lane_{side}");
        let lanes = weights.has(&format!("{lanes}.weight")).then(|| weights.linear(&lanes));
        Self { tokens, lanes, normalise }
    }

    /// The token views.
    pub(crate) fn token_views(&self, states: Tensor<D, 2>) -> Tensor<D, 2> {
        let views = self.tokens.iter().fold(states, |x, map| D::affine(x, map));
        self.finish(views)
    }

    /// The searched views.
    pub(crate) fn lane_views(&self, states: Tensor<D, 2>) -> Tensor<D, 2> {
        match &self.lanes {
            Some(map) => self.finish(D::affine(states, map)),
            None => self.token_views(states),
        }
    }

    fn finish(&self, views: Tensor<D, 2>) -> Tensor<D, 2> {
        if !self.normalise {
            return views;
        }
        let squares = (views.clone() * views.clone()).sum_dim(1);
        // the square root has no gradient at 0
        views / squares.clamp_min(1e-24).sqrt()
    }
}

/// The router, which computes the share of the intent of each query token.
pub(crate) struct Router<D: Device> {
    project: [Linear<D>; 3],
    dense: Linear<D>,
}

impl<D: Device> Router<D> {
    /// Finds the weights of the router, if there is one.
    pub(crate) fn of(weights: &Weights<D>) -> Option<Self> {
        let part = |part: &str| weights.linear(&format!("router.attention.{part}"));
        weights.has("router.dense.weight").then(|| Self {
            project: ["query", "key", "value"].map(part),
            dense: weights.linear("router.dense"),
        })
    }

    /// The logit of each token, `[queries, longest]`, and a large negative number where there is
    /// none.
    pub(crate) fn logits(&self, tokens: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
        let [queries, keys, values] =
            self.project.each_ref().map(|part| padded(D::affine(tokens.clone(), part), spans));
        let width = queries.dims()[2];
        let [texts, longest] = [spans.count(), spans.longest()];
        let nothing = nothing::<D>(spans, &tokens.device());
        let fits = queries.matmul(keys.transpose()) / (width as f32).sqrt();
        let fits = fits + nothing.clone().reshape([texts, 1, longest]);
        let seen = activation::softmax(fits, 2).matmul(values);
        let both = Tensor::cat(vec![seen, padded(tokens, spans)], 2);
        let length = both.dims()[2];
        let logits = D::affine(both.reshape([texts * longest, length]), &self.dense);
        logits.reshape([texts, longest]) + nothing
    }
}

/// 0 for each token of the padded table, and a large negative number where there is none.
pub(crate) fn nothing<D: Device>(spans: &Spans, device: &D::Device) -> Tensor<D, 2> {
    let value = |real| if real { 0.0 } else { NOTHING };
    let values: Vec<f32> = spans.real().into_iter().map(value).collect();
    Tensor::from_data(TensorData::new(values, [spans.count(), spans.longest()]), device)
}

/// 0 for each token in the window of a slot, and a large negative number elsewhere: `[texts, slots,
/// longest]`.
fn outside<D: Device>(spans: &Spans, slots: usize, device: &D::Device) -> Tensor<D, 3> {
    let longest = spans.longest();
    let mut values = vec![NOTHING; spans.count() * slots * longest];
    let texts = spans.iter().flat_map(|span| (0..slots).map(move |slot| (slot, span.len())));
    for (row, (slot, length)) in values.chunks_exact_mut(longest).zip(texts) {
        row[window(slot, slots, length)].fill(0.0);
    }
    Tensor::from_data(TensorData::new(values, [spans.count(), slots, longest]), device)
}

/// Pads the rows of each text to the longest text: `[texts, longest, columns]`.
pub(crate) fn padded<D: Device>(rows: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 3> {
    let numbers: Vec<u32> = spans.padded().into_iter().map(|row| row as u32).collect();
    let columns = rows.dims()[1];
    D::rows(rows, &numbers).reshape([spans.count(), spans.longest(), columns])
}

/// The weighted sum of the rows of each text, `[texts, columns]`.
pub(crate) fn mixed<D: Device>(
    rows: Tensor<D, 2>,
    shares: Tensor<D, 2>,
    spans: &Spans,
) -> Tensor<D, 2> {
    let [texts, longest] = shares.dims();
    let columns = rows.dims()[1];
    let sums = shares.reshape([texts, 1, longest]).matmul(padded(rows, spans));
    sums.reshape([texts, columns])
}

/// The same share for each token of a text, `[texts, longest]`.
pub(crate) fn even<D: Device>(spans: &Spans, device: &D::Device) -> Tensor<D, 2> {
    let longest = spans.longest();
    let row = |length: usize| {
        (0..longest).map(move |at| if at < length { 1.0 / length as f32 } else { 0.0 })
    };
    let shares: Vec<f32> = spans.iter().flat_map(|span| row(span.len())).collect();
    Tensor::from_data(TensorData::new(shares, [spans.count(), longest]), device)
}

/// Learned slots that pool a document.
pub(crate) struct Slots<D: Device> {
    slots: Tensor<D, 2>,
    key: Linear<D>,
    /// Whether each slot pools its own part of the document.
    windows: bool,
}

impl<D: Device> Slots<D> {
    /// Finds the slots, if there are any.
    pub(crate) fn of(weights: &Weights<D>, windows: bool) -> Option<Self> {
        let found = weights.has("router.lanes.slots");
        found.then(|| Self {
            slots: weights.get("router.lanes.slots"),
            key: weights.linear("router.lanes.key"),
            windows,
        })
    }

    /// The pooled states of each slot for each document, then the mean: `[documents * (slots + 1),
    /// length]`.
    pub(crate) fn pool(&self, states: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
        let [count, width] = self.slots.dims();
        let (texts, longest) = (spans.count(), spans.longest());
        let (length, device) = (states.dims()[1], states.device());
        let keys = padded(D::affine(states.clone(), &self.key), spans);
        let fits = self.slots.clone().reshape([1, count, width]).matmul(keys.transpose());
        let unseen = match self.windows {
            true => outside::<D>(spans, count, &device),
            false => nothing::<D>(spans, &device).reshape([texts, 1, longest]),
        };
        let shares = activation::softmax(fits / (width as f32).sqrt() + unseen, 2);
        let even = even::<D>(spans, &device).reshape([texts, 1, longest]);
        let pooled = Tensor::cat(vec![shares, even], 1).matmul(padded(states, spans));
        pooled.reshape([texts * (count + 1), length])
    }

    /// The number of views per document.
    pub(crate) fn views(&self) -> usize {
        self.slots.dims()[0] + 1
    }
}
