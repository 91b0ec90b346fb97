//! Why a collection cannot be opened, changed or searched.

use std::io;
use std::path::PathBuf;

use fastlane_corpus::{LexicalOpenError, LexicalSearchError, LexicalWriteError};
use fastlane_engine::{EncodeError, OpenIndexError, SearchError, WriteIndexError};
use fastlane_model::{CheckpointError, OpenError};

/// Why a collection cannot be opened, changed or searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectionError {
    /// There is none.
    #[error("`{}` holds no collection", path.display())]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// There is one already.
    #[error("`{}` holds a collection already", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// There is an index of views, which holds no documents.
    #[error("`{}` is an index of views, not a collection of documents", path.display())]
    Views {
        /// The directory.
        path: PathBuf,
    },
    /// There are other files.
    #[error("`{}` holds `{name}`, which does not belong to a collection", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// One of them.
        name: String,
    },
    /// Its model is not where it was.
    #[error("the model of `{}` cannot be opened from `{}`", path.display(), model.display())]
    Model {
        /// The collection.
        path: PathBuf,
        /// Where its model was.
        model: PathBuf,
        /// Why not.
        source: Box<OpenError>,
    },
    /// The views of another model cannot be compared.
    #[error(
        "`{}` has views of model {found}, the one at `{}` is {wanted}",
        path.display(),
        model.display()
    )]
    OtherModel {
        /// The collection.
        path: PathBuf,
        /// The model that was given.
        model: PathBuf,
        /// The collection's.
        found: String,
        /// The given one's.
        wanted: String,
    },
    /// Text was given to a collection that was opened without a model.
    #[error("text needs a model, and `{}` was opened without one", path.display())]
    NoModel {
        /// The collection.
        path: PathBuf,
    },
    /// There is nothing to search for.
    #[error("the query is empty")]
    EmptyQuery,
    /// An id that cannot name a document.
    #[error("a document has an empty id")]
    EmptyId,
    /// A document cannot be encoded.
    #[error("cannot encode document `{id}`")]
    Encode {
        /// The document.
        id: String,
        /// Why not.
        source: EncodeError,
    },
    /// A query cannot be encoded.
    #[error(transparent)]
    Query(#[from] EncodeError),
    /// The checkpoint cannot be read any more.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The index of views cannot be opened.
    #[error(transparent)]
    OpenViews(#[from] OpenIndexError),
    /// The index of views cannot be written.
    #[error(transparent)]
    WriteViews(#[from] WriteIndexError),
    /// The index of views cannot be searched.
    #[error(transparent)]
    SearchViews(#[from] SearchError),
    /// The index of words cannot be opened.
    #[error(transparent)]
    OpenWords(#[from] LexicalOpenError),
    /// The index of words cannot be written.
    #[error(transparent)]
    WriteWords(#[from] LexicalWriteError),
    /// The index of words cannot be searched.
    #[error(transparent)]
    SearchWords(#[from] LexicalSearchError),
    /// The system refuses.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The system refuses to read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A newer program wrote it.
    #[error("the collection at `{}` has format {found}, this program reads 1 to {wanted}", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this program reads.
        wanted: u32,
    },
    /// An error left views and words of this writer with different documents.
    #[error("an earlier error ended this writer of `{}`: nothing changed", path.display())]
    Ended {
        /// The collection.
        path: PathBuf,
    },
    /// A file is not as it was written.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The caller no longer wants the result of a search.
    #[error("the search was stopped before it ended")]
    SearchStopped,
    /// Somebody asked to stop.
    #[error("stopped before the commit: nothing changed")]
    Stopped,
}

impl CollectionError {
    /// Whether a search ended before it was done because its [`Stop`](crate::Stop) was due.
    pub fn is_stopped(&self) -> bool {
        matches!(
            self,
            Self::SearchStopped
                | Self::SearchViews(SearchError::Stopped)
                | Self::SearchWords(LexicalSearchError::Stopped)
        )
    }

    /// Whether the same change may go well later, as it is: the system refused, or somebody else
    /// writes.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Write { .. } | Self::Read { .. } | Self::OpenViews(_) | Self::OpenWords(_) => {
                true
            }
            Self::WriteViews(error) => matches!(
                error,
                WriteIndexError::Write { .. }
                    | WriteIndexError::Ended { .. }
                    | WriteIndexError::Damaged { .. }
            ),
            Self::WriteWords(error) => matches!(error, LexicalWriteError::Index { .. }),
            _ => false,
        }
    }

    /// The way out, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent { .. } => {
                Some("make one with `fastlane index INPUT --output INDEX --model DIR`")
            }
            Self::Exists { .. } => Some("add to it by opening it, or choose another directory"),
            Self::Foreign { .. } => Some("choose an empty directory, or one that is not there yet"),
            Self::Model { .. } => Some("say where it is now with `--model DIR`"),
            Self::OtherModel { .. } => {
                Some("search with the model that indexed it, or index the documents again")
            }
            Self::Views { .. } => Some("choose another directory"),
            Self::Format { .. } => Some("update fastlane"),
            Self::Damaged { .. } => {
                Some("`fastlane check` names all damage; restore the files, or index again")
            }
            Self::NoModel { .. } => Some("say which with `--model DIR`"),
            Self::EmptyQuery => Some("ask for something"),
            Self::OpenViews(error) => error.hint(),
            Self::WriteViews(error) => error.hint(),
            Self::SearchViews(error) => error.hint(),
            Self::OpenWords(error) => error.hint(),
            Self::WriteWords(error) => error.hint(),
            Self::Checkpoint(error) => error.hint(),
            _ => None,
        }
    }
}
