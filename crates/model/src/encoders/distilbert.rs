//! DistilBERT: BERT without token types and pooler, under names of its own.

use super::Entry;
use super::bert::{self, BertFamily, Keys, Names};

pub(super) const DISTILBERT: Entry = Entry {
    name: BertFamily::DISTILBERT.name,
    classes: &[BertFamily::DISTILBERT.class],
    read: |config| bert::read(BertFamily::DISTILBERT, config),
};

impl BertFamily {
    /// DistilBERT.
    pub const DISTILBERT: Self = Self {
        name: "distilbert",
        class: "DistilBertModel",
        prefix: "distilbert.",
        layers: "transformer.layer.",
        names: Names {
            project: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
            attention_output: "attention.out_lin",
            attention_norm: "sa_layer_norm",
            intermediate: "ffn.lin1",
            output: "ffn.lin2",
            output_norm: "output_layer_norm",
        },
        keys: Keys {
            layers: "n_layers",
            hidden: "dim",
            heads: "n_heads",
            intermediate: "hidden_dim",
            activation: "activation",
        },
        token_types: false,
        padding: None,
    };
}
