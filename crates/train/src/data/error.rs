//! Why there is nothing to learn from.

use std::io;
use std::path::PathBuf;

/// Why there is nothing to learn from.
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
        /// What the system said.
        source: io::Error,
    },
    /// Judgements are not right.
    #[error(transparent)]
    Judgements(#[from] fastlane_eval::ReadError),
    /// What is found in a test set cannot be written.
    #[error(transparent)]
    Id(#[from] fastlane_eval::WriteError),
    /// A judgement or a triple names what is not there.
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
    /// A line of pairs is not right.
    #[error("line {line} of `{}` is not a pair", path.display())]
    Pair {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// What the reader said.
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
    /// A line of a teacher's scores is not right.
    #[error("line {line} of `{}` is not a query id, a document id and a score", path.display())]
    Score {
        /// The file.
        path: PathBuf,
        /// Which line.
        line: u64,
    },
    /// A teacher's scores are about other texts.
    #[error("`{}` has no score of a query and a document that take part", path.display())]
    NoScores {
        /// The file.
        path: PathBuf,
    },
    /// A teacher's scores name an id that several texts have.
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
    /// An id stands twice where each must stand once.
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
    /// The index that negatives are mined with cannot be made or searched.
    #[error("cannot mine negatives by {by}")]
    Mine {
        /// What searches.
        by: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// States cannot be kept on disk.
    #[error("cannot keep states of the encoder in `{}`", path.display())]
    States {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataError {
    /// The way out, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Missing { .. } => Some("the judgements may belong to another collection"),
            Self::NoPairs { .. } => Some(
                "without judgements, kinds `inverse-cloze` and `titles` make pairs of documents",
            ),
            Self::TooFew { .. } => Some("make `schedule.batch` smaller, or leave the source out"),
            Self::TwoTexts { .. } => {
                Some("sources count their ids alike: give those of one another beginning")
            }
            Self::Twice { .. } => Some("give each an id of its own"),
            Self::States { .. } => Some("free some room, or choose another `--cache`"),
            _ => None,
        }
    }
}
