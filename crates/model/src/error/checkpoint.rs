//! Why a checkpoint could not be read or written.

use std::io;
use std::path::PathBuf;

use safetensors::SafeTensorError;

/// Why a checkpoint could not be read or written; names the file, the thing in it and the reason.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file of the checkpoint is not there.
    #[error("no file `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The weights are there only as a Python pickle.
    #[error("no file `{}`, only `{found}`", path.display())]
    Pickle {
        /// The file that is wanted.
        path: PathBuf,
        /// The file beside it.
        found: &'static str,
    },
    /// The file is the placeholder that Git LFS leaves for the real one.
    #[error("`{}` is a Git LFS pointer, wanted the file itself", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// The system could not read the file.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not write the file.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something where a checkpoint is to be written.
    #[error("`{}` already exists, wanted a new directory", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The file is not the JSON that it should be.
    #[error("cannot parse `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where the JSON breaks.
        source: serde_json::Error,
    },
    /// The file does not start as safetensors do.
    #[error("`{}` is not a safetensors file", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        source: SafeTensorError,
    },
    /// The file ends early or late.
    #[error("`{}` has {found} bytes, its header wants {wanted}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The bytes of the header and of all tensors.
        wanted: u64,
    },
    /// The weights lack a tensor.
    #[error("no tensor `{}` in `{}`", one_line(tensor), path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has a type that is not read.
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
        /// The types that are read.
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
    /// A weight is not a number, or infinite.
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
        /// The place, counted through all rows.
        index: usize,
        /// What is there.
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
        /// The place, counted through all rows.
        index: usize,
        /// What is there.
        value: f32,
    },
    /// The model is of a kind that is not read.
    #[error(
        "`{}` has architecture `{}`, wanted bert or distilbert",
        path.display(),
        one_line(found)
    )]
    Architecture {
        /// The configuration.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// The checkpoint is one of ours, in a format that is not read.
    #[error("`{}` has format {found}, this program reads {wanted}", path.display())]
    Format {
        /// The file that says so.
        path: PathBuf,
        /// The format.
        found: u32,
        /// The one that is read.
        wanted: u32,
    },
    /// A setting of the checkpoint has a value that is not read.
    #[error("`{key}` is {} in `{}`, wanted {wanted}", one_line(found), path.display())]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: &'static str,
        /// Its value.
        found: String,
        /// The values that are read.
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
        /// The tensor that shows it.
        tensor: String,
        /// The value of the tensor.
        has: usize,
    },
    /// The weights have more layers than the configuration says.
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
        /// How many layers it says.
        layers: usize,
        /// The weights.
        weights: PathBuf,
        /// A tensor of a layer beyond these.
        tensor: String,
    },
    /// The tokenizer could not be made of its file.
    #[error("cannot parse `{}`", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the tokenizer said.
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
    /// The checkpoint names a token that the tokenizer does not have.
    #[error("no token `{}` in `{}`", one_line(token), path.display())]
    NoToken {
        /// The tokenizer.
        path: PathBuf,
        /// The token.
        token: String,
    },
    /// The checkpoint is one of ours, but a part of it is gone.
    #[error("`{}` is a fastlane checkpoint without its `{part}`", path.display())]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// The directory that is not there.
        part: &'static str,
    },
}

impl CheckpointError {
    /// Names the way out, where there is one.
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
                "another program saved it anew: restore the directory, or remove the key \
                 `fastlane` from config_sentence_transformers.json to use it without",
            ),
            Self::Format { .. } => Some("open it with the newer version of fastlane that wrote it"),
            Self::Exists { .. } => Some("choose another name, or remove it first"),
            _ => None,
        }
    }
}

/// What a file says, with a mark for each character that would break the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
