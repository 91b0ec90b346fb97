//! BERT and DistilBERT, as `fastlane-model` runs them, with gradients.
//!
//! The tokens of all texts stand in one table without padding; only attention needs to know where
//! a text ends.

use burn_tensor::{Tensor, activation};
use fastlane_model::{Activation, Architecture};

use super::weights::Weights;
use crate::backend::{Attention, Device, Dropout, Linear, Norm, Spans};

/// Texts as the numbers of their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRows {
    /// The tokens of all texts.
    pub(crate) ids: Vec<u32>,
    /// Where each text lies.
    pub(crate) spans: Spans,
    /// How many tokens of each text others look at: all but those that fill up queries.
    pub(crate) attended: Vec<usize>,
}

impl TokenRows {
    /// Lays texts one after the other; each comes with how many of its tokens are looked at.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = (&'a [u32], usize)> + Clone) -> Self {
        let spans = Spans::new(texts.clone().map(|(ids, _)| ids.len()));
        let attended = texts.clone().map(|(_, attended)| attended).collect();
        Self { ids: texts.flat_map(|(ids, _)| ids).copied().collect(), spans, attended }
    }
}

/// An encoder whose weights are at hand.
pub(crate) struct Bert<D: Device> {
    /// Tokens to states; only where the first layers take part.
    embeddings: Option<Embeddings<D>>,
    layers: Vec<Layer<D>>,
    heads: usize,
    activation: Activation,
}

struct Embeddings<D: Device> {
    words: Tensor<D, 2>,
    positions: Tensor<D, 2>,
    /// The kind of segment that all tokens are of, where the family knows kinds.
    segment: Option<Tensor<D, 2>>,
    norm: Norm<D>,
}

struct Layer<D: Device> {
    project: [Linear<D>; 3],
    attention_output: Linear<D>,
    attention_norm: Norm<D>,
    intermediate: Linear<D>,
    output: Linear<D>,
    output_norm: Norm<D>,
}

impl<D: Device> Bert<D> {
    /// Finds the weights whose names start with `tower`, of layer `from` and those above it.
    pub(crate) fn of(
        weights: &Weights<D>,
        tower: &str,
        architecture: &Architecture,
        from: usize,
    ) -> Self {
        let names = architecture.family.names();
        let layer = |index| {
            let start = format!("{tower}{}", architecture.family.layer(index));
            let linear = |name: &str| weights.linear(&format!("{start}{name}"));
            let norm = |name: &str| weights.norm(&format!("{start}{name}"), architecture.epsilon);
            Layer {
                project: names.project.map(linear),
                attention_output: linear(names.attention_output),
                attention_norm: norm(names.attention_norm),
                intermediate: linear(names.intermediate),
                output: linear(names.output),
                output_norm: norm(names.output_norm),
            }
        };
        Self {
            embeddings: (from == 0).then(|| Embeddings::of(weights, tower, architecture)),
            layers: (from..architecture.layers).map(layer).collect(),
            heads: architecture.heads,
            activation: architecture.activation,
        }
    }

    /// The last states of all tokens; `below` are those that the first of its layers gets.
    pub(crate) fn states(
        &self,
        tokens: &TokenRows,
        below: Option<Tensor<D, 2>>,
        dropout: Dropout,
    ) -> Tensor<D, 2> {
        let embeddings = self.embeddings.as_ref();
        let states = match (below, embeddings) {
            (Some(below), _) => below,
            (None, Some(embeddings)) => embeddings.states(tokens, dropout.of(0)),
            (None, None) => unreachable!("an encoder without embeddings is given states"),
        };
        let layers = self.layers.iter().zip(1..);
        layers.fold(states, |states, (layer, number)| {
            self.layer(layer, states, tokens, dropout.of(number))
        })
    }

    fn layer(
        &self,
        layer: &Layer<D>,
        states: Tensor<D, 2>,
        tokens: &TokenRows,
        dropout: Dropout,
    ) -> Tensor<D, 2> {
        let parts = layer.project.each_ref().map(|part| D::affine(states.clone(), part));
        let seen = D::attend(Attention {
            parts,
            spans: tokens.spans.clone(),
            attended: tokens.attended.clone(),
            heads: self.heads,
            dropout: dropout.of(0),
            precision: layer.attention_output.precision,
        });
        let seen = D::dropout(D::affine(seen, &layer.attention_output), dropout.of(1));
        let states = D::norm(seen, states, &layer.attention_norm);
        let inner = self.activation(D::affine(states.clone(), &layer.intermediate));
        let inner = D::dropout(D::affine(inner, &layer.output), dropout.of(2));
        D::norm(inner, states, &layer.output_norm)
    }

    fn activation(&self, x: Tensor<D, 2>) -> Tensor<D, 2> {
        match self.activation {
            Activation::Gelu => D::gelu_of(x),
            Activation::GeluTanh => activation::gelu_approximate(x),
            Activation::Relu => activation::relu(x),
        }
    }
}

impl<D: Device> Embeddings<D> {
    fn of(weights: &Weights<D>, tower: &str, architecture: &Architecture) -> Self {
        let table =
            |name: &str| weights.get(&format!("{tower}embeddings.{name}_embeddings.weight"));
        Self {
            words: table("word"),
            positions: table("position"),
            segment: (architecture.token_types > 0).then(|| table("token_type")),
            norm: weights.norm(&format!("{tower}embeddings.LayerNorm"), architecture.epsilon),
        }
    }

    /// What goes into the first layer.
    fn states(&self, tokens: &TokenRows, dropout: Dropout) -> Tensor<D, 2> {
        let places: Vec<u32> = tokens.spans.iter().flat_map(|span| 0..span.len() as u32).collect();
        let positions = D::rows(self.positions.clone(), &places);
        let positions = match &self.segment {
            Some(segment) => positions + D::rows(segment.clone(), &[0]),
            None => positions,
        };
        let states = D::norm(D::rows(self.words.clone(), &tokens.ids), positions, &self.norm);
        D::dropout(states, dropout)
    }
}
