//! Why a checkpoint could not be read or written.

use std::io;
use std::path::PathBuf;

use safetensors::SafeTensorError;

/// A checkpoint could not be read or written: with the file, the item and the reason.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file of the checkpoint is missing.
    #[error("no file `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The weights are available only as a Python pickle.
    #[error("no file `{}`, only `{found}`", path.display())]
    Pickle {
        /// The file that is needed.
        path: PathBuf,
        /// The pickle next to it.
        found: &'static str,
    },
    /// The file is a Git LFS pointer instead of the content.
    #[error("`{}` is a Git LFS pointer, wanted the file itself", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// Something exists where a checkpoint is to be written.
    #[error("`{}` already exists, wanted a new directory", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The file is not the expected JSON.
    #[error("cannot parse `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The JSON error.
        source: serde_json::Error,
    },
    /// The file does not have a safetensors header.
    #[error("`{}` is not a safetensors file", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        source: SafeTensorError,
    },
    /// The file is too short or too long.
    #[error("`{}` has {found} bytes, its header wants {wanted}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The bytes of the header and of all tensors.
        wanted: u64,
    },
    /// A tensor is missing from the weights.
    #[error("no tensor `{}` in `{}`", one_line(tensor), path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has an unsupported type.
    #[error(
        "tensor `{}` of `{}` has type {found}, wanted {wanted}",
        one_line(tensor),
        path.display()
    )]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The type it has.
        found: String,
        /// The supported types.
        wanted: &'static str,
    },
    /// A tensor has the wrong shape.
    #[error(
        "tensor `{}` of `{}` has shape {found:?}, wanted {wanted:?}",
        one_line(tensor),
        path.display()
    )]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shape it has.
        found: Vec<usize>,
        /// The shape it should have.
        wanted: Vec<usize>,
    },
    /// A weight is NaN or infinite.
    #[error(
        "tensor `{}` of `{}` has {value} at position {index}",
        one_line(tensor),
        path.display()
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its index, counted through all rows.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A weight is too large for the type in which it is to be stored.
    #[error(
        "tensor `{tensor}` of `{}` has {value} at position {index}, too much for F16",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its index, counted through all rows.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// The architecture is not supported.
    #[error(
        "`{}` has architecture `{}`, wanted {wanted}",
        path.display(),
        one_line(found)
    )]
    Architecture {
        /// The configuration.
        path: PathBuf,
        /// The architecture.
        found: String,
        /// The supported ones.
        wanted: String,
    },
    /// The checkpoint is FastLane's, in an unsupported format.
    #[error("`{}` has format {found}, this program reads {wanted}", path.display())]
    Format {
        /// The file that holds the format.
        path: PathBuf,
        /// The format.
        found: u32,
        /// The supported format.
        wanted: u32,
    },
    /// A setting of the checkpoint has an unsupported value.
    #[error("`{key}` is {} in `{}`, wanted {wanted}", one_line(found), path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: &'static str,
        /// Its value.
        found: String,
        /// The supported values.
        wanted: String,
    },
    /// The configuration and the weights disagree.
    #[error(
        "`{}` says {key} {says}, but tensor `{tensor}` of `{}` has {has}",
        config.display(),
        weights.display()
    )]
    Contradiction {
        /// The configuration.
        config: PathBuf,
        /// The setting.
        key: &'static str,
        /// Its value.
        says: usize,
        /// The weights.
        weights: PathBuf,
        /// The tensor that contradicts it.
        tensor: String,
        /// The value of the tensor.
        has: usize,
    },
    /// The weights have more layers than the configuration.
    #[error(
        "`{}` says {key} {layers}, but `{}` has tensor `{}`",
        config.display(),
        weights.display(),
        one_line(tensor)
    )]
    MoreLayers {
        /// The configuration.
        config: PathBuf,
        /// The setting.
        key: &'static str,
        /// The number of layers in the configuration.
        layers: usize,
        /// The weights.
        weights: PathBuf,
        /// A tensor of a layer beyond these.
        tensor: String,
    },
    /// The tokenizer file could not be loaded.
    #[error("cannot parse `{}`", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// The tokenizer's error.
        source: tokenizers::Error,
    },
    /// The tokenizer has an id for which there is no embedding.
    #[error(
        "token `{}` of `{}` has id {id}, the embedding table has {vocabulary} rows",
        one_line(token),
        path.display()
    )]
    TokenBeyond {
        /// The tokenizer.
        path: PathBuf,
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// The rows of the embedding table.
        vocabulary: usize,
    },
    /// The checkpoint names a token that is not in the tokenizer.
    #[error("no token `{}` in `{}`", one_line(token), path.display())]
    NoToken {
        /// The tokenizer.
        path: PathBuf,
        /// The token.
        token: String,
    },
    /// The checkpoint is FastLane's, but a part of it is missing.
    #[error("`{}` is a fastlane checkpoint without its `{part}`", path.display())]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// The missing directory.
        part: &'static str,
    },
}

impl CheckpointError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some(
                "a checkpoint is a directory with config.json, model.safetensors and tokenizer.json",
            ),
            Self::Pickle { .. } => Some(
                "convert it in Python: AutoModel.from_pretrained(DIR).save_pretrained(DIR, \
                 safe_serialization=True); a ColBERT checkpoint: MultiVectorEncoder(DIR).save(NEW)",
            ),
            Self::LfsPointer { .. } => Some("run `git lfs pull` in the checkpoint's repository"),
            Self::Header { .. } | Self::Size { .. } => {
                Some("the download is probably incomplete: fetch the file again")
            }
            Self::MissingTensor { .. } | Self::Contradiction { .. } | Self::MoreLayers { .. } => {
                Some("config.json and model.safetensors must come from the same model")
            }
            Self::NotFinite { .. } => Some("training diverged: use an earlier checkpoint"),
            Self::TooLarge { .. } => Some("store the weights as F32"),
            Self::TokenBeyond { .. } | Self::NoToken { .. } => {
                Some("tokenizer.json and model.safetensors must come from the same model")
            }
            Self::Incomplete { .. } => Some(
                "another program has rewritten it: restore the directory, or remove the key \
                 `fastlane` from config_sentence_transformers.json to use it without",
            ),
            Self::Format { .. } => Some("open it with the newer version of fastlane that wrote it"),
            Self::Exists { .. } => Some("choose another name, or remove it first"),
            _ => None,
        }
    }
}

/// The text with escapes for each character that would break the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
