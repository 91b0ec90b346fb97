//! Why a directory of views cannot be written or read.

use std::io;
use std::path::{Path, PathBuf};

/// The formats that are read.
const FORMATS: &str = "1 to 2";

/// Why a directory of views cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VectorFilesError {
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file is too short or too long.
    #[error("`{}` has {found} bytes, wanted {wanted}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The expected size in bytes.
        wanted: u64,
    },
    /// A file to be continued is missing.
    #[error("no file `{}`, wanted one of {wanted} bytes", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The expected size in bytes.
        wanted: u64,
    },
    /// Two files have different numbers of texts or views.
    #[error("`{}` has {found} rows, `{}` wants {wanted}", path.display(), other.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// Its rows.
        found: u64,
        /// The file that counts them.
        other: PathBuf,
        /// The expected number of rows.
        wanted: u64,
    },
    /// The file is not an NPY array, or has another type or shape.
    #[error("`{}` holds {found}, wanted an array of {wanted}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The content of its header.
        found: String,
        /// The types and shapes that can be read.
        wanted: &'static str,
    },
    /// The directory has an unsupported format.
    #[error("`{}` has format {found}, this program reads {FORMATS}", path.display())]
    Format {
        /// The file that holds the format.
        path: PathBuf,
        /// The format.
        found: u32,
    },
    /// `model.json` cannot be parsed.
    #[error("cannot parse `{}`, wanted which model made the views", path.display())]
    Origin {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A length is negative or too large.
    #[error("`{}` has a number below 0 or above {most}, wanted lengths", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: i32,
    },
    /// An id has a line break, so it does not fit one line of `ids.txt`.
    #[error("id {id:?} has a line break, wanted one line")]
    Id {
        /// The id.
        id: String,
    },
    /// An id occurs twice.
    #[error("id {id:?} is that of text {first} already, wanted another")]
    Twice {
        /// The id.
        id: String,
        /// The first text with this id, counted from 1.
        first: u64,
    },
    /// A value cannot be stored as f16.
    #[error("a view of `{id}` has the value {value}, wanted -65504 to 65504 as f16 holds it")]
    NotFinite {
        /// The text.
        id: String,
        /// The value.
        value: f32,
    },
    /// An alpha value is not finite.
    #[error("alpha of `{id}` has the value {value}, wanted finite shares")]
    Alpha {
        /// The text.
        id: String,
        /// The value.
        value: f32,
    },
}

impl VectorFilesError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Size { .. } | Self::Missing { .. } | Self::Rows { .. } => {
                Some("the files were changed since: encode again")
            }
            Self::Array { .. } | Self::Count { .. } => {
                Some("write it as `encode` does, or as NumPy does by rows")
            }
            Self::Format { .. } => {
                Some("read the views with the newer version of fastlane that wrote them")
            }
            Self::Origin { .. } => Some("move the file away: the views need none"),
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "views are vectors.npy, doclens.npy and ids.txt, as `fastlane encode` writes them",
            ),
            Self::Id { .. } => Some("give it an id without line breaks"),
            Self::Twice { .. } => Some("give each text an id of its own"),
            Self::Alpha { .. } => Some("the model's router is broken: use an earlier checkpoint"),
            Self::NotFinite { .. } => {
                Some("take a model that gives its views unit length, or scale its projection down")
            }
            Self::Write { .. } | Self::Read { .. } => None,
        }
    }
}

pub(super) fn cannot_write(path: &Path, source: io::Error) -> VectorFilesError {
    VectorFilesError::Write { path: path.to_owned(), source }
}

pub(super) fn cannot_read(path: &Path, source: io::Error) -> VectorFilesError {
    VectorFilesError::Read { path: path.to_owned(), source }
}
