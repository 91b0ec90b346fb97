//! In what the architectures with BERT's layers differ: names, and how positions are counted.

use crate::encoders::architecture::Family;

/// An architecture with BERT's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BertFamily {
    /// `model_type` in `config.json`.
    pub(crate) name: &'static str,
    /// The class in `transformers`.
    pub(crate) class: &'static str,
    /// The prefix of all tensor names in checkpoints of a model with a head.
    pub(crate) prefix: &'static str,
    /// The prefix of the tensor names of all layers, before a layer's number.
    pub(crate) layers: &'static str,
    pub(crate) names: Names,
    pub(crate) keys: Keys,
    /// Whether there are embeddings of token types (segments).
    pub(crate) token_types: bool,
    /// The id of the padding token, where positions are counted from the id after it.
    pub(crate) padding: Option<u32>,
}

/// The names of a layer's weights after the prefix of [`Family::layer`]; each has `.weight` and
/// `.bias`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// The query, key and value projections.
    pub project: [&'static str; 3],
    /// The attention output projection.
    pub attention_output: &'static str,
    /// The layer norm after attention.
    pub attention_norm: &'static str,
    /// The intermediate projection of the feed-forward layer.
    pub intermediate: &'static str,
    /// The output projection of the feed-forward layer.
    pub output: &'static str,
    /// The layer norm after the feed-forward layer.
    pub output_norm: &'static str,
}

/// The names of settings in `config.json`; the names of the others are common to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) layers: &'static str,
    pub(crate) hidden: &'static str,
    pub(crate) heads: &'static str,
    pub(crate) intermediate: &'static str,
    pub(crate) activation: &'static str,
}

impl BertFamily {
    /// BERT, MiniLM and other encoders of `model_type: bert`.
    pub const BERT: Self = Self {
        name: "bert",
        class: "BertModel",
        prefix: "bert.",
        layers: "encoder.layer.",
        names: Names {
            project: ["attention.self.query", "attention.self.key", "attention.self.value"],
            attention_output: "attention.output.dense",
            attention_norm: "attention.output.LayerNorm",
            intermediate: "intermediate.dense",
            output: "output.dense",
            output_norm: "output.LayerNorm",
        },
        keys: Keys {
            layers: "num_hidden_layers",
            hidden: "hidden_size",
            heads: "num_attention_heads",
            intermediate: "intermediate_size",
            activation: "hidden_act",
        },
        token_types: true,
        padding: None,
    };

    /// The names of a layer's weights.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The prefix of the tensor names of a layer.
    pub(super) fn layer(&self, index: usize) -> String {
        format!("{}{index}.", self.layers)
    }

    /// The row of each token of a text in the table of positions.
    ///
    /// With a padding token, as in `transformers`: it has the row of its id, wherever it stands,
    /// and the other tokens are counted from the row after that.
    pub fn positions(&self, ids: &[u32]) -> Vec<u32> {
        let Some(padding) = self.padding else { return (0..ids.len() as u32).collect() };
        let row = |last: &mut u32, &id: &u32| {
            *last += u32::from(id != padding);
            Some(if id == padding { padding } else { *last })
        };
        ids.iter().scan(padding, row).collect()
    }

    /// The row of the first token of a text in the table of positions.
    pub(super) fn first_position(&self) -> usize {
        self.padding.map_or(0, |padding| padding as usize + 1)
    }
}

impl Family {
    /// The names of its tensors, if its layers are BERT's.
    pub fn bert(&self) -> Option<&BertFamily> {
        (self.definition() as &dyn std::any::Any).downcast_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_by_hand() {
        let bert = BertFamily::BERT;
        assert_eq!((bert.first_position(), bert.positions(&[1, 9, 1])), (0, vec![0, 1, 2]));
        let padded = BertFamily { padding: Some(1), ..bert };
        assert_eq!((padded.first_position(), padded.positions(&[])), (2, vec![]));
        assert_eq!(padded.positions(&[0, 9, 1, 7, 1, 1]), [2, 3, 1, 4, 1, 1]);
    }
}
