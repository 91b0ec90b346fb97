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
        "`{}` has views of model {found}, {} is {wanted}",
        path.display(),
        model.as_ref().map_or("the encoder".to_owned(), |it| format!("the one at `{}`", it.display()))
    )]
    OtherModel {
        /// The collection.
        path: PathBuf,
        /// Where the model is that was given, if it is anywhere.
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
    /// Its encoder comes from no file, so it cannot be opened again.
    #[error("the encoder of `{}` is a program's own", path.display())]
    OwnEncoder {
        /// The collection.
        path: PathBuf,
    },
    /// What the collection keeps of its encoder cannot be compared.
    #[error("cannot compare the fingerprint of the model")]
    Compare(#[source] Box<dyn Error + Send + Sync>),
    /// Its views are kept another way.
    #[error("the index at `{}` has store {found}, wanted {wanted}", path.display())]
    Store {
        /// The collection.
        path: PathBuf,
        /// How they are kept.
        found: Store,
        /// How they should be.
        wanted: Store,
    },
    /// A collection in memory keeps views as they are.
    #[error("a collection in memory has no store, found {found}")]
    NoStore {
        /// What was asked for.
        found: Store,
    },
    /// A document did not come.
    #[error("cannot read the next document")]
    Source(#[source] Box<dyn Error + Send + Sync>),
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

/// The way out of an error, for a program to say in its own words; [`Display`](std::fmt::Display) says
/// it in those of this library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Make a collection first.
    Create,
    /// Open the collection that is there, or choose another directory.
    OpenIt,
    /// Choose a directory that is empty or absent.
    EmptyDirectory,
    /// Choose another directory.
    OtherDirectory,
    /// Say where the model is now.
    ModelMoved,
    /// Say which model.
    GiveModel,
    /// Give the encoder that made the collection.
    GiveEncoder,
    /// Use the model that indexed, or index again.
    OtherModel,
    /// Update the program.
    Update,
    /// Look for all damage.
    Check,
    /// Ask for something.
    Ask,
    /// Another way out.
    Other(&'static str),
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "make it with `CollectionOptions::create`",
            Self::OpenIt => "add to it by opening it, or choose another directory",
            Self::EmptyDirectory => "choose an empty directory, or one that is not there yet",
            Self::OtherDirectory => "choose another directory",
            Self::ModelMoved => "say where it is now with `CollectionOptions::model`",
            Self::GiveModel => "say which with `CollectionOptions::model`",
            Self::GiveEncoder => "open it with `CollectionOptions::encoder`",
            Self::OtherModel => {
                "search with the model that indexed it, or index the documents again"
            }
            Self::Update => "update fastlane",
            Self::Check => "`check` names all damage; restore the files, or index again",
            Self::Ask => "ask for something",
            Self::Other(hint) => hint,
        })
    }
}
