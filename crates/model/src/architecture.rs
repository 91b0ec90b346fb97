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
