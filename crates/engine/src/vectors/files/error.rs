//! Why a directory of views cannot be written or read.

use std::io;
use std::path::{Path, PathBuf};

/// The formats that are read.
const FORMATS: &str = "1 to 2";

/// Why a directory of views cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VectorFilesError {
    /// The system could not write a file.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not read a file.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file ends too early or too late.
    #[error("`{}` has {found} bytes, wanted {wanted}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The bytes of everything that should be in it.
        wanted: u64,
    },
    /// A file that should go on is not there.
    #[error("no file `{}`, wanted one of {wanted} bytes", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The bytes of everything that should be in it.
        wanted: u64,
    },
    /// Two files are not of the same texts.
    #[error("`{}` has {found} rows, `{}` wants {wanted}", path.display(), other.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// Its rows.
        found: u64,
        /// The file that counts them.
        other: PathBuf,
        /// The rows that it counts.
        wanted: u64,
    },
    /// The file does not begin as an array does, or holds another one.
    #[error("`{}` holds {found}, wanted an array of {wanted}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What its header says.
        found: String,
        /// What can be read.
        wanted: &'static str,
    },
    /// The directory has a format that is not read.
    #[error("`{}` has format {found}, this program reads {FORMATS}", path.display())]
    Format {
        /// The file that says so.
        path: PathBuf,
        /// The format.
        found: u32,
    },
    /// The file does not say which model made the views.
    #[error("cannot parse `{}`, wanted which model made the views", path.display())]
    Origin {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A length is no length.
    #[error("`{}` has a number below 0 or above {most}, wanted lengths", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: i32,
    },
    /// An id would take several lines of `ids.txt`.
    #[error("id {id:?} has a line break, wanted one line")]
    Id {
        /// The id.
        id: String,
    },
    /// An id stands twice.
    #[error("id {id:?} is that of text {first} already, wanted another")]
    Twice {
        /// The id.
        id: String,
        /// The text that has it, counted from 1.
        first: u64,
    },
    /// A value has no place in f16.
    #[error("a view of `{id}` has the value {value}, wanted -65504 to 65504 as f16 holds it")]
    NotFinite {
        /// The text.
        id: String,
        /// The value.
        value: f32,
    },
    /// A share is no number.
    #[error("alpha of `{id}` has the value {value}, wanted finite shares")]
    Alpha {
        /// The text.
        id: String,
        /// The value.
        value: f32,
    },
}

impl VectorFilesError {
    /// Names the way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Size { .. } | Self::Missing { .. } | Self::Rows { .. } => {
                Some("the files were changed since: encode anew")
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
