//! The tensors that an encoder must have, and their shapes.
//!
//! Each length of a shape is stored with the setting of `config.json` that it comes from, so that
//! an error can name the setting.

use super::config::{Keys, keys};
use crate::architecture::Architecture;

/// A length and its setting.
type Length = (usize, &'static str);

/// A tensor that the weights must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpectedTensor {
    pub(super) name: String,
    pub(super) lengths: Vec<Length>,
}

impl ExpectedTensor {
    pub(super) fn shape(&self) -> Vec<usize> {
        self.lengths.iter().map(|&(length, _)| length).collect()
    }
}

/// Lists the tensors of an encoder, first the embeddings, then layer after layer.
pub(super) fn expected(architecture: &Architecture) -> Vec<ExpectedTensor> {
    let lists = Lists::new(architecture);
    let mut all = lists.embeddings(architecture);
    for layer in 0..architecture.layers {
        all.extend(lists.layer(layer));
    }
    all
}

impl Architecture {
    /// Lists the tensors of an encoder and their shapes: first the embeddings, then layer after
    /// layer.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        expected(self).into_iter().map(|wanted| (wanted.name.clone(), wanted.shape())).collect()
    }
}

struct Lists {
    keys: Keys,
    hidden: Length,
    inner: Length,
}

impl Lists {
    fn new(architecture: &Architecture) -> Self {
        let keys = keys(architecture.family);
        Self {
            keys,
            hidden: (architecture.hidden, keys.hidden),
            inner: (architecture.intermediate, keys.intermediate),
        }
    }

    fn embeddings(&self, architecture: &Architecture) -> Vec<ExpectedTensor> {
        let table = |name: &str, rows: usize, key| ExpectedTensor {
            name: format!("embeddings.{name}_embeddings.weight"),
            lengths: vec![(rows, key), self.hidden],
        };
        let mut all = vec![
            table("word", architecture.vocabulary, "vocab_size"),
            table("position", architecture.positions, "max_position_embeddings"),
        ];
        if architecture.token_types > 0 {
            all.push(table("token_type", architecture.token_types, "type_vocab_size"));
        }
        all.extend(norm("embeddings.LayerNorm", self.hidden));
        all
    }

    fn layer(&self, index: usize) -> Vec<ExpectedTensor> {
        let (state, inner) = (self.hidden, self.inner);
        let (start, names) = (self.keys.family.layer(index), self.keys.family.names());
        let project = names.project.map(|name| (name, state, state));
        let others = [
            (names.attention_output, state, state),
            (names.intermediate, inner, state),
            (names.output, state, inner),
        ];
        let dense = project.into_iter().chain(others).flat_map(|(name, to, from)| {
            let (weight, bias) = (vec![to, from], vec![to]);
            [("weight", weight), ("bias", bias)].map(|(end, lengths)| ExpectedTensor {
                name: format!("{start}{name}.{end}"),
                lengths,
            })
        });
        let norms = [names.attention_norm, names.output_norm]
            .into_iter()
            .flat_map(|name| norm(&format!("{start}{name}"), state));
        dense.chain(norms).collect()
    }
}

fn norm(name: &str, length: Length) -> [ExpectedTensor; 2] {
    ["weight", "bias"]
        .map(|end| ExpectedTensor { name: format!("{name}.{end}"), lengths: vec![length] })
}
