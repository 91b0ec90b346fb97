//! Errors of training data.

use std::io;
use std::path::PathBuf;

/// The training data is missing or invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A collection cannot be read.
    #[error(transparent)]
    Read(#[from] fastlane_corpus::ReadError),
    /// Judgements cannot be opened.
    #[error("cannot read `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// Judgements are invalid.
    #[error(transparent)]
    Judgements(#[from] fastlane_eval::ReadError),
    /// The run of a test set cannot be written.
    #[error(transparent)]
    Id(#[from] fastlane_eval::WriteError),
    /// A judgement or a triple names a missing query or document.
    #[error("`{}` names the {what} `{id}`, which `{}` does not have", by.display(), path.display())]
    Missing {
        /// The file that names it.
        by: PathBuf,
        /// A query or a document.
        what: &'static str,
        /// Its id.
        id: String,
        /// The file that should have it.
        path: PathBuf,
    },
    /// A line of pairs is invalid.
    #[error("line {line} of `{}` is not a pair", path.display())]
    Pair {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// The JSON error.
        source: serde_json::Error,
    },
    /// There are no pairs.
    #[error("`{}` has no pairs of a query and a document that answers it", path.display())]
    NoPairs {
        /// The source.
        path: PathBuf,
    },
    /// There are fewer queries than a batch needs.
    #[error("`{}` has {found} queries, fewer than a batch of {wanted}", path.display())]
    TooFew {
        /// The source.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many a batch has.
        wanted: usize,
    },
    /// A line of a teacher's scores is invalid.
    #[error("line {line} of `{}` is not a query id, a document id and a score", path.display())]
    Score {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: u64,
    },
    /// The teacher's scores are for other texts.
    #[error("`{}` has no score of a query and a document that take part", path.display())]
    NoScores {
        /// The file.
        path: PathBuf,
    },
    /// The teacher's scores name an id that several texts have.
    #[error("line {line} of `{}` names the id `{id}`, which two {what} have", path.display())]
    TwoTexts {
        /// The file of scores.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// Queries or documents.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// Views of another system cannot be read.
    #[error("cannot read the views in `{}`", path.display())]
    Views {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: fastlane_engine::VectorFilesError,
    },
    /// Views of another system are for other texts.
    #[error("`{}` has no views of {what} that take part", path.display())]
    NoViews {
        /// The directory.
        path: PathBuf,
        /// Queries or documents.
        what: &'static str,
    },
    /// Views of another system name an id that several texts have.
    #[error("`{}` names the id `{id}`, which two {what} have", path.display())]
    TwoViews {
        /// The directory.
        path: PathBuf,
        /// Queries or documents.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A text has more, fewer or other views than this run computes.
    #[error(
        "`{}` has {} view{} of {} numbers for `{id}`, wanted {} of {}",
        path.display(), found.0, if found.0 == 1 { "" } else { "s" }, found.1, wanted.0, wanted.1
    )]
    OtherViews {
        /// The directory.
        path: PathBuf,
        /// The id of the text.
        id: String,
        /// Views, and numbers a view.
        found: (usize, usize),
        /// What the run computes.
        wanted: (usize, usize),
    },
    /// An id occurs twice where it must be unique.
    #[error("the {what} `{id}` appears twice in `{}`", path.display())]
    Twice {
        /// A query or a document.
        what: &'static str,
        /// Its id.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// A text cannot be split into tokens.
    #[error("cannot split a text into tokens")]
    Tokens(#[from] fastlane_model::checkpoint::TokeniseError),
    /// The index for mining negatives cannot be built or searched.
    #[error("cannot mine negatives by {by}")]
    Mine {
        /// The search method.
        by: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// States cannot be stored on disk.
    #[error("cannot keep states of the encoder in `{}`", path.display())]
    States {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

impl DataError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Missing { .. } => Some("the judgements may belong to another collection"),
            Self::NoPairs { .. } => Some(
                "without judgements, kinds `inverse-cloze` and `titles` make pairs of documents",
            ),
            Self::TooFew { .. } => Some("make `schedule.batch` smaller, or leave the source out"),
            Self::TwoTexts { .. } | Self::TwoViews { .. } => {
                Some("sources count their ids alike: give those of one another beginning")
            }
            Self::Views { source, .. } => source.hint(),
            Self::NoViews { .. } => Some("encode the texts of this run's data, with their ids"),
            Self::OtherViews { .. } => Some(
                "set `architecture.lane_dim` and `architecture.document_lanes` to those of the other system",
            ),
            Self::Twice { .. } => Some("give each an id of its own"),
            Self::States { .. } => Some("free some room, or choose another `--cache`"),
            _ => None,
        }
    }
}
