//! Why a collection cannot be opened, changed or searched.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use fastlane_corpus::{LexicalOpenError, LexicalSearchError, LexicalWriteError};
use fastlane_engine::{EncodeError, OpenIndexError, SearchError, Store, WriteIndexError};
use fastlane_model::{CheckpointError, OpenError};

/// Why a collection cannot be opened, changed or searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectionError {
    /// There is none.
    #[error("`{}` is not a collection", path.display())]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// There is one already.
    #[error("`{}` already holds a collection", path.display())]
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
    /// Its model is not at the stored path.
    #[error("the model of `{}` cannot be opened from `{}`", path.display(), model.display())]
    Model {
        /// The collection.
        path: PathBuf,
        /// The stored path of its model.
        model: PathBuf,
        /// Why not.
        source: Box<OpenError>,
    },
    /// The views of another model cannot be compared.
    #[error(
        "`{}` has views of model {found}, {} is {wanted}",
        path.display(),
        model.as_ref().map_or("the encoder".to_owned(), |it| format!("the one at `{}`", it.display()))
    )]
    OtherModel {
        /// The collection.
        path: PathBuf,
        /// The path of the given model, if it has one.
        model: Option<PathBuf>,
        /// The collection's.
        found: String,
        /// The given one's.
        wanted: String,
    },
    /// Text was given to a collection that was opened without an encoder.
    #[error("text needs a model, and `{}` was opened without one", path.display())]
    NoEncoder {
        /// The collection.
        path: PathBuf,
    },
    /// Its encoder does not come from a file, so it cannot be opened again.
    #[error("`{}` uses a custom encoder", path.display())]
    OwnEncoder {
        /// The collection.
        path: PathBuf,
    },
    /// The stored fingerprint of its encoder cannot be compared.
    #[error("cannot compare the fingerprint of the model")]
    Compare(#[source] Box<dyn Error + Send + Sync>),
    /// Its views have another store.
    #[error("the index at `{}` has store {found}, wanted {wanted}", path.display())]
    Store {
        /// The collection.
        path: PathBuf,
        /// The store of the collection.
        found: Store,
        /// The requested store.
        wanted: Store,
    },
    /// A collection in memory does not compress views.
    #[error("a collection in memory has no store, found {found}")]
    NoStore {
        /// The requested store.
        found: Store,
    },
    /// The source of documents failed.
    #[error("cannot read the next document")]
    Source(#[source] Box<dyn Error + Send + Sync>),
    /// The query is empty.
    #[error("the query is empty")]
    EmptyQuery,
    /// An id that cannot name a document.
    #[error("a document has an empty id")]
    EmptyId,
    /// An id with the character that separates documents from their passages.
    #[error("the document id `{}` has the control character U+001F", id.escape_debug())]
    BadId {
        /// The id.
        id: String,
    },
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
    /// An encoder did not give views for each text: see [`check_encoder`](crate::check_encoder).
    #[error("the encoder gave views for {found} texts, wanted {wanted}")]
    EncodedTexts {
        /// The number of texts that it gave views for, as far as they were counted.
        found: u64,
        /// The number of texts that it was given.
        wanted: u64,
    },
    /// The index of views cannot be opened.
    #[error(transparent)]
    OpenViews(#[from] OpenIndexError),
    /// The index of views cannot be written.
    #[error(transparent)]
    WriteViews(#[from] WriteIndexError),
    /// The index of views cannot be searched.
    #[error(transparent)]
    SearchViews(#[from] SearchError),
    /// The lexical index cannot be opened.
    #[error(transparent)]
    OpenWords(#[from] LexicalOpenError),
    /// The lexical index cannot be written.
    #[error(transparent)]
    WriteWords(#[from] LexicalWriteError),
    /// The lexical index cannot be searched.
    #[error(transparent)]
    SearchWords(#[from] LexicalSearchError),
    /// A file or directory cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file or directory cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
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
    /// An error left the views and the lexical index of this writer with different documents.
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
    /// The work was stopped before the commit.
    #[error("stopped before the commit: nothing changed")]
    Stopped,
}

impl CollectionError {
    /// Whether a search ended early because its [`Stop`](crate::Stop) was due.
    pub fn is_stopped(&self) -> bool {
        matches!(
            self,
            Self::SearchStopped
                | Self::SearchViews(SearchError::Stopped)
                | Self::SearchWords(LexicalSearchError::Stopped)
        )
    }

    /// Whether the same change may succeed later: the system refused a read or write, or another
    /// writer is open.
    pub fn is_transient(&self) -> bool {
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

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::Absent { .. } => Some(Hint::Create),
            Self::Exists { .. } => Some(Hint::OpenIt),
            Self::Foreign { .. } => Some(Hint::EmptyDirectory),
            Self::Model { .. } => Some(Hint::ModelMoved),
            Self::OtherModel { .. } => Some(Hint::OtherModel),
            Self::OwnEncoder { .. } => Some(Hint::GiveEncoder),
            Self::Views { .. } => Some(Hint::OtherDirectory),
            Self::Format { .. } => Some(Hint::Update),
            Self::Damaged { .. } => Some(Hint::Check),
            Self::NoEncoder { .. } => Some(Hint::GiveModel),
            Self::BadId { .. } => Some(Hint::Other("give it an id without control characters")),
            Self::NoStore { .. } => Some(Hint::Other("leave the store out")),
            Self::EmptyQuery => Some(Hint::Ask),
            Self::OpenViews(error) => error.hint().map(Hint::Other),
            Self::WriteViews(error) => error.hint().map(Hint::Other),
            Self::SearchViews(error) => error.hint().map(Hint::Other),
            Self::OpenWords(error) => error.hint().map(Hint::Other),
            Self::WriteWords(error) => error.hint().map(Hint::Other),
            Self::Compare(error) => {
                let error = error.downcast_ref::<CheckpointError>()?;
                error.hint().map(Hint::Other)
            }
            _ => None,
        }
    }
}

/// The hint for an error, so that a program can word it for its own interface;
/// [`Display`](std::fmt::Display) words it for this library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Create a collection first.
    Create,
    /// Open the existing collection, or choose another directory.
    OpenIt,
    /// Choose a directory that is empty or absent.
    EmptyDirectory,
    /// Choose another directory.
    OtherDirectory,
    /// Pass the new path of the model.
    ModelMoved,
    /// Pass a model.
    GiveModel,
    /// Pass the encoder that made the collection.
    GiveEncoder,
    /// Use the model that indexed, or index again.
    OtherModel,
    /// Update the program.
    Update,
    /// Check the collection for damage.
    Check,
    /// Enter a query that is not empty.
    Ask,
    /// Another hint.
    Other(&'static str),
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "create it with `CollectionOptions::create`",
            Self::OpenIt => "open it to add documents, or choose another directory",
            Self::EmptyDirectory => "choose an empty or a new directory",
            Self::OtherDirectory => "choose another directory",
            Self::ModelMoved => "pass its new location with `CollectionOptions::model`",
            Self::GiveModel => "pass the model with `CollectionOptions::model`",
            Self::GiveEncoder => "open it with `CollectionOptions::encoder`",
            Self::OtherModel => {
                "search with the model that indexed it, or index the documents again"
            }
            Self::Update => "update fastlane",
            Self::Check => "`check` lists all damage; restore the files, or index again",
            Self::Ask => "enter a query that is not empty",
            Self::Other(hint) => hint,
        })
    }
}
