//! What all architectures have: their sizes, and the definition that each of them must give.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use fastlane_kernels::encoder::Kernel;
use rayon::ThreadPool;

use super::expected_tensors::ExpectedTensor;
use crate::error::CheckpointError;
use crate::fingerprint::Value;

/// The sizes and options of an encoder.
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

/// A family of encoders: BERT, DistilBERT, ...
///
/// Two are equal if they compute the same from the same sizes and weights.
#[derive(Debug, Clone)]
pub struct Family(Arc<dyn Definition>);

/// What a family must define.
///
/// It holds the settings of `config.json` that only this family has. The others are in
/// [`Architecture`].
pub(crate) trait Definition: Any + fmt::Debug + Send + Sync {
    /// Its name in fingerprints, which must never change: its `model_type` in `config.json`.
    fn name(&self) -> &'static str;

    /// Its own settings, as far as they affect the states, for the fingerprint. Their names must
    /// never change, nor be those of fields of [`Architecture`].
    fn settings(&self) -> Vec<(&'static str, Value<'static>)>;

    /// The prefix of all tensor names in checkpoints of a model with a head: `bert.`.
    fn prefix(&self) -> &'static str;

    /// The prefix of the tensor names of a layer.
    fn layer(&self, index: usize) -> String;

    /// The key of the number of layers in `config.json`.
    fn layers_key(&self) -> &'static str;

    /// All tensors: first the embeddings of tokens, then other embeddings, then layer after layer.
    fn tensors(&self, architecture: &Architecture) -> Vec<ExpectedTensor>;

    /// The content of `config.json`.
    fn config(&self, architecture: &Architecture) -> serde_json::Value;

    /// Packs the weights for a kernel.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    fn load(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        read: &mut Read<'_>,
    ) -> Result<Arc<dyn Transformer>, CheckpointError>;
}

/// Reads the tensor of a name and a shape.
pub(crate) type Read<'a> = dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, CheckpointError> + 'a;

/// An encoder with packed weights.
pub(crate) trait Transformer: fmt::Debug + Send + Sync {
    /// The length of a hidden state.
    fn hidden(&self) -> usize;

    /// The multiplications and additions in products per token, for a text of `length` tokens.
    fn operations(&self, length: usize) -> f64;

    /// The size of the weights in memory, in bytes.
    fn bytes(&self) -> usize;

    /// Computes the last hidden state of each token, row by row.
    ///
    /// Every token attends to the first `attended` tokens. If a pool is given, its threads help;
    /// the result has the same bits without it.
    ///
    /// # Panics
    ///
    /// There are no tokens, too many, or ids beyond the vocabulary; or none are attended.
    fn states(self: Arc<Self>, ids: &[u32], attended: usize, pool: Option<&ThreadPool>)
    -> Vec<f32>;
}

impl Architecture {
    /// Lists the tensors of an encoder and their shapes: first the embeddings, then layer after
    /// layer.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let tensor = |tensor: ExpectedTensor| {
            let shape = tensor.shape();
            (tensor.name, shape)
        };
        self.expected_tensors().into_iter().map(tensor).collect()
    }

    /// As [`tensors`](Self::tensors), with the settings that determine the shapes.
    pub(crate) fn expected_tensors(&self) -> Vec<ExpectedTensor> {
        self.family.0.tensors(self)
    }

    /// The content of `config.json`, in the format of `transformers`.
    pub(crate) fn config(&self) -> serde_json::Value {
        self.family.0.config(self)
    }

    /// Packs the weights for a kernel.
    pub(crate) fn load(
        &self,
        kernel: Kernel,
        read: &mut Read<'_>,
    ) -> Result<Arc<dyn Transformer>, CheckpointError> {
        self.family.0.load(self, kernel, read)
    }
}

impl Family {
    pub(crate) fn new(definition: impl Definition) -> Self {
        Self(Arc::new(definition))
    }

    pub(crate) fn definition(&self) -> &dyn Definition {
        &*self.0
    }

    /// Its `model_type` in `config.json`.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The prefix of the names of a layer's weights.
    pub fn layer(&self, index: usize) -> String {
        self.0.layer(index)
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.0.settings() == other.0.settings()
    }
}
