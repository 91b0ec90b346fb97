//! The tensors of an encoder with BERT's layers.

use super::family::BertFamily;
use crate::encoders::architecture::Architecture;
use crate::encoders::expected_tensors::{ExpectedTensor, Length, linear, norm};

/// Lists the tensors, first the embeddings, then layer after layer.
pub(super) fn expected(family: &BertFamily, architecture: &Architecture) -> Vec<ExpectedTensor> {
    let hidden = (architecture.hidden, family.keys.hidden);
    let inner = (architecture.intermediate, family.keys.intermediate);
    let mut all = embeddings(family, architecture, hidden);
    for index in 0..architecture.layers {
        all.extend(layer(family, index, hidden, inner));
    }
    all
}

fn embeddings(
    family: &BertFamily,
    architecture: &Architecture,
    hidden: Length,
) -> Vec<ExpectedTensor> {
    let table = |name: &str, rows: usize, key| ExpectedTensor {
        name: format!("embeddings.{name}_embeddings.weight"),
        lengths: vec![(rows, key), hidden],
    };
    let positions = family.first_position() + architecture.positions;
    let mut all = vec![
        table("word", architecture.vocabulary, "vocab_size"),
        table("position", positions, "max_position_embeddings"),
    ];
    if architecture.token_types > 0 {
        all.push(table("token_type", architecture.token_types, "type_vocab_size"));
    }
    all.extend(norm("embeddings.LayerNorm", hidden));
    all
}

fn layer(family: &BertFamily, index: usize, state: Length, inner: Length) -> Vec<ExpectedTensor> {
    let (start, names) = (family.layer(index), family.names);
    let name = |part: &str| format!("{start}{part}");
    let project = names.project.map(|part| (part, state, state));
    let others = [
        (names.attention_output, state, state),
        (names.intermediate, inner, state),
        (names.output, state, inner),
    ];
    let maps = project.into_iter().chain(others);
    let mut all: Vec<_> = maps.flat_map(|(part, to, from)| linear(&name(part), to, from)).collect();
    for part in [names.attention_norm, names.output_norm] {
        all.extend(norm(&name(part), state));
    }
    all
}
