//! Writes a checkpoint in FastLane's layout, whole or not at all.
//!
//! Everything is written into a temporary directory next to the final one, synced, and renamed
//! last. Other programs read it as a PyLate checkpoint: see [`fastlane`](super::fastlane).

mod stored;
mod vocabulary;

use std::io;
use std::path::Path;

use fastlane_durable::AsideDirectory;
use serde::Serialize;
use serde_json::{Value, json};

use super::fastlane::{FORMAT, QUERY};
use super::text_settings::{self, Mark, StConfig};
use super::tower::{DenseConfig, INT8_WEIGHTS, WEIGHTS};
use super::{CheckpointError, RouterConfig, router};
use crate::encoders::architecture::Architecture;

pub use stored::{NamedTensor, WeightType, write_tensors};
pub use vocabulary::add_tokens;

/// The content of a checkpoint.
#[derive(Debug)]
pub struct Blueprint<'a> {
    /// The document encoder, which also encodes queries if there is no query encoder.
    pub document: TowerParts<'a>,
    /// The query encoder.
    pub query: Option<TowerParts<'a>>,
    /// The content of `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// Prefixes, lengths and other settings for texts.
    pub settings: TextSettings,
    /// The router, which computes alpha for each query token.
    pub router: Option<(RouterConfig, Vec<NamedTensor<'a>>)>,
    /// How the weights of encoders and projections are stored; the router is always F32.
    pub weight_type: WeightType,
}

/// An encoder and its projections, in memory.
#[derive(Debug)]
pub struct TowerParts<'a> {
    /// The shape of the encoder.
    pub architecture: &'a Architecture,
    /// Its tensors, under the names of `transformers` without a prefix.
    pub weights: Vec<NamedTensor<'a>>,
    /// The projection matrices, `[to, from]`, from states to views; a bias vector, `[to]`, follows
    /// its matrix.
    pub dense: Vec<NamedTensor<'a>>,
}

/// The settings for texts and views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSettings {
    /// The prefix of a query: a token of the tokenizer, or a text.
    pub query_prefix: String,
    /// The prefix of a document.
    pub document_prefix: String,
    /// The most tokens of a query.
    pub query_length: usize,
    /// The most tokens of a document.
    pub document_length: usize,
    /// Whether short queries are padded with `[MASK]`.
    pub query_expansion: bool,
    /// Whether other tokens attend to these `[MASK]` tokens.
    pub attend_to_expansion: bool,
    /// The tokens that give no view of a document.
    pub skip: Vec<String>,
    /// Whether views have unit length.
    pub normalise: bool,
}

impl Default for TextSettings {
    fn default() -> Self {
        Self {
            query_prefix: "[Q] ".to_owned(),
            document_prefix: "[D] ".to_owned(),
            query_length: 32,
            document_length: 180,
            query_expansion: false,
            attend_to_expansion: false,
            skip: Vec::new(),
            normalise: true,
        }
    }
}

/// Writes the checkpoint into a new directory.
///
/// # Errors
///
/// The directory exists, a tensor is not finite in its type, or an I/O call fails.
pub fn write(directory: &Path, blueprint: &Blueprint<'_>) -> Result<(), CheckpointError> {
    if directory.exists() {
        return Err(CheckpointError::Exists { path: directory.to_owned() });
    }
    let failed = |source| cannot_write(directory, source);
    fastlane_durable::make_directory(fastlane_durable::parent(directory)).map_err(failed)?;
    let aside = AsideDirectory::new(directory).map_err(failed)?;
    let draft = Draft { path: aside.path(), blueprint };
    draft.tower(&blueprint.document)?;
    if let Some(query) = &blueprint.query {
        let path = aside.path().join(QUERY);
        make_directory(&path)?;
        Draft { path: &path, blueprint }.tower(query)?;
    }
    draft.settings(true)?;
    draft.router()?;
    aside.finish().map_err(failed)
}

/// A directory that is being written.
struct Draft<'a> {
    path: &'a Path,
    blueprint: &'a Blueprint<'a>,
}

impl Draft<'_> {
    /// Writes an encoder with everything that PyLate needs to run it.
    fn tower(&self, tower: &TowerParts<'_>) -> Result<(), CheckpointError> {
        write_json(&self.path.join("config.json"), &tower.architecture.config())?;
        let weights = match self.blueprint.weight_type {
            WeightType::Int8 => INT8_WEIGHTS,
            WeightType::F32 | WeightType::F16 => WEIGHTS,
        };
        write_tensors(&self.path.join(weights), &tower.weights, self.blueprint.weight_type)?;
        write_file(&self.path.join("tokenizer.json"), self.blueprint.tokenizer)?;
        let positions = tower.architecture.positions;
        write_json(&self.path.join("tokenizer_config.json"), &tokenizer_config(positions))?;
        let encoder = json!({ "max_seq_length": positions, "do_lower_case": false });
        write_json(&self.path.join("sentence_bert_config.json"), &encoder)?;
        let mut modules = vec![module(0, "", "sentence_transformers.models.Transformer")];
        let with_bias = tower.dense.chunk_by(|_, next| next.shape.len() == 1);
        for (index, dense) in (1..).zip(with_bias) {
            let name = format!("{index}_Dense");
            self.dense(&self.path.join(&name), weights, dense)?;
            modules.push(module(index, &name, "pylate.models.Dense.Dense"));
        }
        write_json(&self.path.join("modules.json"), &modules)?;
        // the top directory overwrites this, with the key `fastlane`
        self.settings(false)
    }

    /// Writes a matrix, and its bias if it has one.
    fn dense(
        &self,
        path: &Path,
        weights: &str,
        dense: &[NamedTensor<'_>],
    ) -> Result<(), CheckpointError> {
        make_directory(path)?;
        let side = |place: usize| dense[0].shape.get(place).copied().unwrap_or(1);
        let config = DenseConfig {
            in_features: side(1),
            out_features: side(0),
            bias: dense.len() > 1,
            activation_function: Some("torch.nn.modules.linear.Identity".to_owned()),
            use_residual: false,
        };
        write_json(&path.join("config.json"), &config)?;
        let names = ["linear.weight", "linear.bias"].into_iter().zip(dense);
        let linear: Vec<_> = names
            .map(|(name, tensor)| NamedTensor { name: name.to_owned(), ..tensor.clone() })
            .collect();
        write_tensors(&path.join(weights), &linear, self.blueprint.weight_type)
    }

    /// Writes PyLate's settings, and in the top directory the key `fastlane`.
    fn settings(&self, top: bool) -> Result<(), CheckpointError> {
        let settings = &self.blueprint.settings;
        let mark = Mark {
            format: FORMAT,
            normalise: settings.normalise,
            split: self.blueprint.query.is_some(),
            router: self.blueprint.router.is_some(),
        };
        let config = StConfig {
            model_type: Some("ColBERT".to_owned()),
            similarity_fn_name: Some("MaxSim".to_owned()),
            query_prefix: Some(settings.query_prefix.clone()),
            document_prefix: Some(settings.document_prefix.clone()),
            query_length: Some(settings.query_length),
            document_length: Some(settings.document_length),
            do_query_expansion: Some(settings.query_expansion),
            attend_to_expansion_tokens: Some(settings.attend_to_expansion),
            skiplist_words: Some(settings.skip.clone()),
            fastlane: top.then_some(mark),
            ..StConfig::default()
        };
        write_json(&self.path.join(text_settings::FILE), &config)
    }

    fn router(&self) -> Result<(), CheckpointError> {
        let Some((config, weights)) = &self.blueprint.router else { return Ok(()) };
        let path = self.path.join(router::DIRECTORY);
        make_directory(&path)?;
        write_json(&path.join("config.json"), config)?;
        write_tensors(&path.join(WEIGHTS), weights, WeightType::F32)
    }
}

fn module(index: usize, path: &str, class: &str) -> Value {
    json!({ "idx": index, "name": index.to_string(), "path": path, "type": class })
}

/// The settings that `transformers` needs besides `tokenizer.json`.
fn tokenizer_config(positions: usize) -> Value {
    json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    })
}

fn make_directory(path: &Path) -> Result<(), CheckpointError> {
    std::fs::create_dir_all(path).map_err(|source| cannot_write(path, source))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CheckpointError> {
    let mut text = serde_json::to_vec_pretty(value).expect("settings make JSON");
    text.push(b'\n');
    write_file(path, &text)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    fastlane_durable::replace(path, bytes).map_err(|source| cannot_write(path, source))
}

fn cannot_write(path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::Write { path: path.to_owned(), source }
}
