//! BERT and the architectures with its layers, as in `fastlane-model`, with gradients.
//!
//! The tokens of all texts are in one table without padding; only attention needs the boundaries of
//! the texts.

use burn_tensor::{Tensor, activation};
use fastlane_model::{Activation, Architecture, BertFamily};

use super::weights::Weights;
use crate::backend::{Attention, Device, Dropout, Linear, Norm, Spans};

/// Texts as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRows {
    /// The tokens of all texts.
    pub(crate) ids: Vec<u32>,
    /// The rows of each text.
    pub(crate) spans: Spans,
    /// The number of tokens of each text that are attended to: all but the padding of queries.
    pub(crate) attended: Vec<usize>,
}

impl TokenRows {
    /// Concatenates texts; each comes with its number of attended tokens.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = (&'a [u32], usize)> + Clone) -> Self {
        let spans = Spans::new(texts.clone().map(|(ids, _)| ids.len()));
        let attended = texts.clone().map(|(_, attended)| attended).collect();
        Self { ids: texts.flat_map(|(ids, _)| ids).copied().collect(), spans, attended }
    }
}

/// An encoder with its weights.
pub(crate) struct Bert<D: Device> {
    /// The embedding layer; `None` if the first layers are not part of the network.
    embeddings: Option<Embeddings<D>>,
    layers: Vec<Layer<D>>,
    heads: usize,
    activation: Activation,
}

struct Embeddings<D: Device> {
    family: BertFamily,
    words: Tensor<D, 2>,
    positions: Tensor<D, 2>,
    /// The embedding of the only token type, if the family has token types.
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
    /// Finds the weights of layer `from` and above, whose names start with `tower`.
    pub(crate) fn of(
        weights: &Weights<D>,
        tower: &str,
        architecture: &Architecture,
        from: usize,
    ) -> Self {
        let family = family(architecture);
        let names = family.names();
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

    /// The last hidden states of all tokens; `below` is the input of the first of its layers.
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
            family: *family(architecture),
            words: table("word"),
            positions: table("position"),
            segment: (architecture.token_types > 0).then(|| table("token_type")),
            norm: weights.norm(&format!("{tower}embeddings.LayerNorm"), architecture.epsilon),
        }
    }

    /// The input of the first layer.
    fn states(&self, tokens: &TokenRows, dropout: Dropout) -> Tensor<D, 2> {
        let rows = tokens.spans.iter().flat_map(|span| self.family.positions(&tokens.ids[span]));
        let positions = D::rows(self.positions.clone(), &rows.collect::<Vec<_>>());
        let positions = match &self.segment {
            Some(segment) => positions + D::rows(segment.clone(), &[0]),
            None => positions,
        };
        let states = D::norm(D::rows(self.words.clone(), &tokens.ids), positions, &self.norm);
        D::dropout(states, dropout)
    }
}

fn family(architecture: &Architecture) -> &BertFamily {
    architecture.family.bert().expect("runs with other layers are refused")
}
