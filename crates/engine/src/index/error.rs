//! Why an index cannot be opened, written or searched.

use std::io;
use std::path::PathBuf;

/// Why an index cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenIndexError {
    /// There is no index in the directory.
    #[error("`{}` is not an index: CURRENT is missing", path.display())]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// There are files of another program.
    #[error("`{}` holds `{name}`, which does not belong to an index", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// One of its files.
        name: String,
    },
    /// A newer program wrote the index.
    #[error("the index at `{}` has format {found}, this program reads {wanted}", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that this program reads.
        wanted: u32,
    },
    /// A newer program wrote lists with codes of an unknown kind.
    #[error("the index at `{}` has codes of kind `{found}`, this program reads `1bit`", path.display())]
    Code {
        /// The directory.
        path: PathBuf,
        /// The kind.
        found: String,
    },
    /// A file differs from what was written.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The index has views of another dimension, or other settings.
    #[error("the index at `{}` has {what} {found}, wanted {wanted}", path.display())]
    Other {
        /// The directory.
        path: PathBuf,
        /// Which setting differs.
        what: &'static str,
        /// The value in the index.
        found: String,
        /// The caller's value.
        wanted: String,
    },
    /// The views are of another model, so they cannot be compared.
    #[error("the index at `{}` has views of model {found}, wanted {wanted}", path.display())]
    Model {
        /// The directory.
        path: PathBuf,
        /// The model of the index.
        found: String,
        /// The caller's model.
        wanted: String,
    },
    /// The dimension of views is not supported.
    #[error("invalid view dimension {found}, wanted a multiple of 8 between 8 and 1024")]
    Dim {
        /// The dimension.
        found: usize,
    },
    /// Another process is writing.
    #[error("another writer has the index at `{}`", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The directory.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

impl OpenIndexError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent { .. } => Some("make one with `fastlane index`"),
            Self::Foreign { .. } => Some("choose an empty or a new directory"),
            Self::Format { .. } | Self::Code { .. } => {
                Some("update fastlane, or index the documents again")
            }
            Self::Damaged { .. } => Some("`fastlane check` lists all damage; index again"),
            Self::Other { .. } => Some("use the settings of the index, or a new directory"),
            Self::Model { .. } => Some(
                "encode with the model of the index or choose a new directory; if both are one \
                 model, name it as the index does with --model",
            ),
            Self::Dim { .. } => Some("project the views to such a length"),
            Self::Locked { .. } => Some("wait until it is done, or stop it"),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }
}

/// Why an index cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum WriteIndexError {
    /// The id of a document is empty.
    #[error("a document has an empty id")]
    EmptyId,
    /// The id of a document is too long.
    #[error("the id that begins `{start}` has {bytes} bytes, wanted at most {most}")]
    LongId {
        /// Its beginning.
        start: String,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A document has views of another dimension.
    #[error("document `{id}` has {what} of {found} values, wanted {wanted}")]
    Dim {
        /// The document.
        id: String,
        /// Which views: searched or token views.
        what: &'static str,
        /// Their dimension.
        found: usize,
        /// The dimension in the index.
        wanted: usize,
    },
    /// A document lacks one of its two sets of views, or has one too many.
    #[error("document `{id}` comes {found} separate token views, wanted {wanted}")]
    Sets {
        /// The document.
        id: String,
        /// What it has: `with` or `without`.
        found: &'static str,
        /// What the index requires: `with` or `without`.
        wanted: &'static str,
    },
    /// A value is not finite, or too large to be stored.
    #[error("document `{id}` has the value {value} in view {view}, wanted one between ±65504")]
    Value {
        /// The document.
        id: String,
        /// Which view, from 0.
        view: usize,
        /// The value.
        value: f32,
    },
    /// Not every token view has a weight.
    #[error("document `{id}` has {found} weights, wanted one for each of {wanted} views")]
    Weights {
        /// The document.
        id: String,
        /// How many weights there are.
        found: usize,
        /// How many views.
        wanted: usize,
    },
    /// A weight is not finite.
    #[error("document `{id}` has the weight {value} for view {view}, wanted a finite one")]
    Weight {
        /// The document.
        id: String,
        /// Which view, from 0.
        view: usize,
        /// The weight.
        value: f32,
    },
    /// A document has more views than an index can number.
    #[error("document `{id}` has {views} views, wanted at most {most}")]
    Views {
        /// The document.
        id: String,
        /// How many.
        views: usize,
        /// The limit.
        most: usize,
    },
    /// The committed index is damaged.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// An I/O call failed; the committed generation is unchanged.
    #[error("cannot write the index at `{}`", path.display())]
    Write {
        /// The directory.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// An earlier error lost the changes that were not committed.
    #[error("an earlier error ended this writer of `{}`", path.display())]
    Ended {
        /// The directory.
        path: PathBuf,
    },
}

impl WriteIndexError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::EmptyId | Self::LongId { .. } => Some("give each document a short id"),
            Self::Dim { .. } | Self::Sets { .. } => Some("encode all documents with one model"),
            Self::Value { .. } => Some("encode with a model whose weights are finite"),
            Self::Weights { .. } | Self::Weight { .. } => Some("write the weights again"),
            Self::Views { .. } => Some("split the document into passages"),
            Self::Damaged { .. } => Some("`fastlane check` lists all damage; index again"),
            Self::Write { .. } => Some("earlier commits are intact"),
            Self::Ended { .. } => Some("open another writer"),
        }
    }
}

/// Why a search cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A query has views of another dimension.
    #[error("a query has {what} of {found} values, wanted {wanted}")]
    Dim {
        /// Which views: lanes or rerank views.
        what: &'static str,
        /// Their dimension.
        found: usize,
        /// The dimension in the index.
        wanted: usize,
    },
    /// A query has a value that is not finite, or too large.
    #[error("a query has the value {value}, wanted one between -1e30 and 1e30")]
    Value {
        /// The value.
        value: f32,
    },
    /// A weight is negative or not finite.
    #[error("a query has the weight {value}, wanted 0 or more")]
    Weight {
        /// The weight.
        value: f32,
    },
    /// The recall is not a share of the best documents.
    #[error("a query has the recall {value}, wanted one above 0 and at most 1")]
    Recall {
        /// The recall.
        value: f32,
    },
    /// Late interaction was requested, but the index has lane views only.
    #[error("late interaction needs token views, and the index has only lane views")]
    LanesOnly,
    /// The number of weights differs from the number of query views.
    #[error("a query has {found} weights, wanted one for each of {wanted} views")]
    Weights {
        /// How many weights there are.
        found: usize,
        /// How many views.
        wanted: usize,
    },
    /// A filter was made for another generation.
    #[error("the filter is of generation {found} of an index, wanted one of {wanted} of this one")]
    Filter {
        /// The filter's.
        found: u64,
        /// The reader's.
        wanted: u64,
    },
    /// The index is damaged.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The caller stopped the search.
    #[error("the search was stopped before it ended")]
    Stopped,
}

impl SearchError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Dim { .. } => Some("encode queries with the model of the documents"),
            Self::Filter { .. } => Some("create the filter with this reader"),
            Self::Damaged { .. } => Some("`fastlane check` lists all damage; index again"),
            Self::LanesOnly => Some("index token views as well, or search without rerank"),
            Self::Recall { .. } => Some("1 compares all views; 0.98 is usual"),
            Self::Weight { .. } | Self::Weights { .. } | Self::Value { .. } | Self::Stopped => None,
        }
    }
}
