//! Why an index could not be opened, written or searched.

use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenReadError};

/// Why a lexical index could not be created or opened.
#[derive(Debug, thiserror::Error)]
pub enum LexicalOpenError {
    /// The directory does not contain an index.
    #[error("no lexical index in `{}`", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// The directory already contains an index.
    #[error("a lexical index is already in `{}`", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory contains a tantivy index of another program.
    #[error("the index in `{}` was not made by fastlane", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// The index has a format that this build does not support.
    #[error("lexical index in `{}` has format {found}, this build reads {wanted}", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// The format of the index.
        found: u32,
        /// The format that this build reads and writes.
        wanted: u32,
    },
    /// Another writer is open.
    #[error("the lexical index in `{}` is being written", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The directory could not be created.
    #[error("cannot create `{}`", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The system refuses to read a file.
    #[error("cannot read the lexical index in `{}`", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The files of the index are incomplete or damaged.
    #[error("the lexical index in `{}` is damaged", path.display())]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The error of tantivy.
        source: TantivyError,
    },
}

impl LexicalOpenError {
    /// Distinguishes an error of the system from damage.
    pub(super) fn of(error: TantivyError, path: &Path) -> Self {
        let path = path.to_owned();
        let refused = match &error {
            TantivyError::LockFailure(LockError::LockBusy, _) => return Self::Locked { path },
            TantivyError::LockFailure(LockError::IoError(error), _)
            | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. })
            | TantivyError::IoError(error) => Some(error),
            _ => None,
        };
        match refused.filter(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            Some(error) => Self::Read { path, source: error.kind().into() },
            None => Self::Damaged { path, source: error },
        }
    }

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some("create the index first, or check the path"),
            Self::Exists { .. } => Some("open it to add documents, or remove the directory"),
            Self::Foreign { .. } => Some("choose another directory"),
            Self::Format { found, wanted, .. } if found > wanted => {
                Some("a newer version of fastlane made it: use that version, or build it again")
            }
            Self::Format { .. } => Some("build the index again"),
            Self::Locked { .. } => Some("wait until the other writer ends"),
            Self::Damaged { .. } => Some("build the index again"),
            Self::Create { .. } | Self::Read { .. } => None,
        }
    }
}

/// Why documents could not be added, deleted or committed.
#[derive(Debug, thiserror::Error)]
pub enum LexicalWriteError {
    /// The id is in use.
    #[error("document `{id}` is already in the index")]
    Duplicate {
        /// The id.
        id: String,
    },
    /// The id is longer than the index can look up.
    #[error("document id `{start}…` has {found} bytes, wanted at most {limit}")]
    LongId {
        /// How it starts.
        start: String,
        /// Its bytes.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The index could not be written.
    #[error("cannot write the lexical index")]
    Index {
        /// The error of tantivy.
        #[from]
        source: TantivyError,
    },
}

impl LexicalWriteError {
    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Duplicate { .. } => Some("give each document its own id, or replace it"),
            Self::LongId { .. } => Some("shorten the id"),
            Self::Index { .. } => None,
        }
    }
}

/// Why a search could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum LexicalSearchError {
    /// The index could not be read.
    #[error("cannot read the lexical index")]
    Index {
        /// The error of tantivy.
        #[from]
        source: TantivyError,
    },
    /// The stored metadata of a document is not JSON.
    #[error("cannot read the metadata of document `{id}`")]
    Metadata {
        /// The document.
        id: String,
        /// Where the JSON breaks.
        source: serde_json::Error,
    },
    /// A set of documents belongs to another index or commit.
    #[error("the set of documents belongs to a different commit")]
    OtherCommit,
    /// The caller no longer wants the result.
    #[error("the search was stopped before it ended")]
    Stopped,
    /// The threads could not be started.
    #[error("cannot start {threads} search threads")]
    Threads {
        /// The requested number.
        threads: NonZero<usize>,
        /// The error of the system.
        source: rayon::ThreadPoolBuildError,
    },
}

impl From<io::Error> for LexicalSearchError {
    fn from(error: io::Error) -> Self {
        TantivyError::from(error).into()
    }
}
