//! The architecture of an encoder, shared by all checkpoints and kernels.

/// The dimensions and options of a BERT-like encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// The family, which determines layers and tensor names.
    pub family: Family,
    /// Transformer blocks.
    pub layers: usize,
    /// The length of a token's hidden state.
    pub hidden: usize,
    /// Attention heads, each with an equal part of the hidden state.
    pub heads: usize,
    /// The length of the intermediate state of the feed-forward layer.
    pub intermediate: usize,
    /// The number of tokens in the embedding table.
    pub vocabulary: usize,
    /// The largest number of tokens of a text.
    pub positions: usize,
    /// The number of token types (segments); 0 if the family has none.
    pub token_types: usize,
    /// Added to the variance in layer norms, to avoid division by 0.
    pub epsilon: f32,
    /// The activation of the feed-forward layer.
    pub activation: Activation,
}

/// Families of encoders, which differ in the names of their tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT, MiniLM and other encoders of `model_type: bert`.
    Bert,
    /// DistilBERT: BERT without segments and pooler.
    DistilBert,
}

/// The activation of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x/2 (1 + erf(x/√2)).
    Gelu,
    /// GELU's approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// The names of a block's weights after the prefix of [`Family::layer`]; each has `.weight` and
/// `.bias`.
#[derive(Debug, Clone, Copy)]
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

impl Family {
    /// The prefix of the names of a block's weights.
    pub fn layer(self, index: usize) -> String {
        match self {
            Self::Bert => format!("encoder.layer.{index}."),
            Self::DistilBert => format!("transformer.layer.{index}."),
        }
    }

    /// The names of the weights of a block.
    pub fn names(self) -> Names {
        match self {
            Self::Bert => Names {
                project: ["attention.self.query", "attention.self.key", "attention.self.value"],
                attention_output: "attention.output.dense",
                attention_norm: "attention.output.LayerNorm",
                intermediate: "intermediate.dense",
                output: "output.dense",
                output_norm: "output.LayerNorm",
            },
            Self::DistilBert => Names {
                project: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
                attention_output: "attention.out_lin",
                attention_norm: "sa_layer_norm",
                intermediate: "ffn.lin1",
                output: "ffn.lin2",
                output_norm: "output_layer_norm",
            },
        }
    }
}
