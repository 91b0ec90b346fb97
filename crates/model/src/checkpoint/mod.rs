//! Opens checkpoints: detects the layout of a directory, and reads its parts.
//!
//! | layout | recognised by | views |
//! |---|---|---|
//! | [`FastLane`](Layout::FastLane) | key `fastlane` in `config_sentence_transformers.json` | Dense, router |
//! | [`PyLate`](Layout::PyLate) | `model_type` `ColBERT` there, or a `query_prefix` | Dense |
//! | [`MultiVector`](Layout::MultiVector) | `model_type` `MultiVectorEncoder` there | Dense |
//! | [`Stanford`](Layout::Stanford) | architecture `HF_ColBERT`, or `artifact.metadata` | `linear.weight` |
//! | [`Plain`](Layout::Plain) | none of these | the states themselves |
//!
//! Opening reads the small files and the headers of the weights, and checks them against each
//! other; the weights are read later, tensor by tensor, where they are used. So an invalid
//! checkpoint is refused at once.

mod convert;
mod fastlane;
mod modules;
mod multi_vector;
mod plain;
mod pylate;
mod router;
mod stanford;
mod tensors;
mod text_settings;
mod tower;
mod write;

use std::path::{Path, PathBuf};

pub use router::{LaneKind, RouterConfig, RouterFiles, RouterInput};
pub use tensors::Tensors;
pub use tower::{DenseFiles, TowerFiles};
pub use write::{
    Blueprint, NamedTensor, TextSettings, TowerParts, WeightType, add_tokens, write, write_tensors,
};

use crate::encoders::config::Config;
pub use crate::error::CheckpointError;
use crate::json::{self, read_bytes};
pub use crate::tokenise::{Expansion, InputSettings, TokeniseError, Tokeniser, Tokens};
use modules::Modules;
use text_settings::StConfig;

/// The layouts of checkpoints, by the program that writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// An encoder without projection, from `transformers` or Sentence Transformers.
    Plain,
    /// A `MultiVectorEncoder` of Sentence Transformers 6.
    MultiVector,
    /// A `ColBERT` of PyLate.
    PyLate,
    /// A ColBERT of Stanford's code.
    Stanford,
    /// FastLane's own.
    FastLane,
}

/// The parts of a checkpoint, checked except for the values of the weights.
#[derive(Debug)]
pub struct Checkpoint {
    /// The layout of the directory.
    pub layout: Layout,
    /// The query encoder.
    pub query: TowerFiles,
    /// The document encoder, if it is a separate one.
    pub document: Option<TowerFiles>,
    /// The tokenizer.
    pub tokeniser: Tokeniser,
    /// How queries are tokenised: prefix, prompt, length and expansion.
    pub query_side: InputSettings,
    /// How documents are tokenised.
    pub document_side: InputSettings,
    /// Whether views have unit length.
    pub normalise: bool,
    /// The router, which computes alpha for each query token.
    pub router: Option<RouterFiles>,
}

impl Checkpoint {
    /// Opens the checkpoint in `directory`.
    ///
    /// # Errors
    ///
    /// A file is absent, damaged or unsupported, or contradicts another.
    pub fn open(directory: &Path) -> Result<Self, CheckpointError> {
        let folder = Folder::open(directory)?;
        match folder.layout() {
            Layout::Plain => plain::open(&folder),
            Layout::MultiVector => multi_vector::open(&folder),
            Layout::PyLate => pylate::open(&folder),
            Layout::Stanford => stanford::open(&folder),
            Layout::FastLane => fastlane::open(&folder),
        }
    }
}

impl Checkpoint {
    /// The text settings in the form of a [`Blueprint`]: written and read again, they are equal.
    pub fn text_settings(&self) -> TextSettings {
        let spelling = |id: u32| self.tokeniser.spelling(id).unwrap_or_default();
        let prefix = |side: &InputSettings| match side.prefix {
            Some(id) if side.prompt.is_empty() => spelling(id),
            Some(id) => format!("{} {}", spelling(id), side.prompt),
            None => side.prompt.clone(),
        };
        let mut skipped: Vec<u32> = self.document_side.skip.iter().copied().collect();
        skipped.sort_unstable();
        let expansion = self.query_side.expansion;
        TextSettings {
            query_prefix: prefix(&self.query_side),
            document_prefix: prefix(&self.document_side),
            query_length: self.query_side.length,
            document_length: self.document_side.length,
            query_expansion: expansion.is_some(),
            attend_to_expansion: expansion.is_some_and(|expansion| expansion.attended),
            skip: skipped.into_iter().map(spelling).collect(),
            normalise: self.normalise,
        }
    }
}

/// A directory and its small files.
struct Folder {
    path: PathBuf,
    /// The directory of the encoder, usually the checkpoint itself.
    encoder: PathBuf,
    config: Config,
    st: StConfig,
    modules: Modules,
}

impl Folder {
    fn open(path: &Path) -> Result<Self, CheckpointError> {
        fastlane::check_format(path)?;
        let modules = Modules::read(path)?;
        let encoder = modules.encoder.clone().unwrap_or_else(|| path.to_owned());
        let config = Config::read(&encoder.join("config.json"))?;
        let st = json::read_or_default(&path.join(text_settings::FILE))?;
        Ok(Self { path: path.to_owned(), encoder, config, st, modules })
    }

    fn layout(&self) -> Layout {
        let stanford = || {
            self.config.has_class(stanford::CLASS) || self.path.join(stanford::METADATA).exists()
        };
        match self.st.model_type.as_deref() {
            _ if self.st.fastlane.is_some() => Layout::FastLane,
            Some("ColBERT") => Layout::PyLate,
            Some("MultiVectorEncoder") => Layout::MultiVector,
            _ if self.st.query_prefix.is_some() => Layout::PyLate,
            _ if !self.modules.any && stanford() => Layout::Stanford,
            _ => Layout::Plain,
        }
    }

    /// The encoder and the Dense modules after it.
    fn tower(&self) -> Result<TowerFiles, CheckpointError> {
        let mut tower = TowerFiles::open(&self.encoder, &self.config)?;
        for path in &self.modules.dense {
            tower.push(DenseFiles::open(path)?)?;
        }
        Ok(tower)
    }

    fn tokeniser(&self, tower: &TowerFiles) -> Result<Tokeniser, CheckpointError> {
        let path = self.encoder.join("tokenizer.json");
        Tokeniser::open(&path, tower.architecture.vocabulary)
    }
}
