//! The shape of an encoder: what the weights mean, said once for every checkpoint and kernel.

/// The sizes and choices of a BERT-like encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Whose names and layers the weights have.
    pub family: Family,
    /// Transformer blocks.
    pub layers: usize,
    /// The length of a token's state.
    pub hidden: usize,
    /// Attention heads; they share the state equally.
    pub heads: usize,
    /// The length of the inner state of the feed-forward layer.
    pub intermediate: usize,
    /// How many tokens the embedding table has.
    pub vocabulary: usize,
    /// How many tokens a text may have.
    pub positions: usize,
    /// Kinds of segments; 0 where the family has none.
    pub token_types: usize,
    /// What keeps a layer norm from dividing by 0.
    pub epsilon: f32,
    /// The bend in the feed-forward layer.
    pub activation: Activation,
}

/// Families of encoders that differ in the names of their weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT, MiniLM and other encoders of `model_type: bert`.
    Bert,
    /// DistilBERT: BERT without segments and pooler.
    DistilBert,
}

/// The bend in a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x/2 (1 + erf(x/√2)).
    Gelu,
    /// GELU's approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// What a family calls the weights of a block, after [`Family::layer`]; each has `.weight` and
/// `.bias`.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// States to queries, keys and values.
    pub project: [&'static str; 3],
    /// What the heads saw, back to a state.
    pub attention_output: &'static str,
    /// The norm after it.
    pub attention_norm: &'static str,
    /// A state to the inner state of the feed-forward layer.
    pub intermediate: &'static str,
    /// And back.
    pub output: &'static str,
    /// The norm after it.
    pub output_norm: &'static str,
}

impl Family {
    /// How the names of a block's weights start.
    pub fn layer(self, index: usize) -> String {
        match self {
            Self::Bert => format!("encoder.layer.{index}."),
            Self::DistilBert => format!("transformer.layer.{index}."),
        }
    }

    /// What it calls the weights of a block.
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
