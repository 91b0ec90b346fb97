//! What is wrong with a line or a record.

use super::excerpt::{Excerpt, names};

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line exceeds the memory limit.
    #[error("the line has more than {} MiB, the most a line may have", limit >> 20)]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Bytes that are not text.
    #[error("byte {column} of the line is not UTF-8")]
    NotUtf8 {
        /// The first bad byte, counted from 1.
        column: usize,
    },
    /// Invalid JSON.
    #[error("invalid JSON at byte {column}: {reason}, found {found}")]
    Json {
        /// Where the parser stopped, counted from 1.
        column: usize,
        /// The error of the parser.
        reason: String,
        /// The line.
        found: Excerpt,
    },
    /// JSON of the wrong type.
    #[error("{field} is {found}, wanted {wanted}")]
    WrongType {
        /// The field.
        field: Excerpt,
        /// The value found.
        found: Excerpt,
        /// The type wanted.
        wanted: &'static str,
    },
    /// None of the column names for an id or a text.
    #[error(
        "no column for the {role}: found {}, wanted {}",
        names(found, "and"),
        names(wanted, "or")
    )]
    MissingColumn {
        /// What is missing: an id, a text.
        role: &'static str,
        /// The columns or fields found.
        found: Vec<String>,
        /// The names that are accepted.
        wanted: Vec<String>,
    },
    /// A header with the same name for two columns, of which one would be lost.
    #[error("column {name} appears more than once in the header, wanted each name once")]
    RepeatedColumn {
        /// The name.
        name: Excerpt,
    },
    /// Too few or too many cells.
    #[error("columns: found {found}, wanted {wanted}")]
    ColumnCount {
        /// How many cells the line has.
        found: usize,
        /// How many it must have.
        wanted: usize,
    },
    /// A quoted cell without an end.
    #[error("a cell opens with `\"` and does not close within {} MiB or the file", limit >> 20)]
    UnclosedQuote {
        /// The limit of a record, in bytes.
        limit: usize,
    },
    /// An id that a result list cannot represent.
    #[error("id {found} is blank or has a control character")]
    BadId {
        /// The id.
        found: Excerpt,
    },
}

impl Fault {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not UTF-8",
            Self::Json { .. } => "invalid JSON",
            Self::WrongType { .. } => "wrong type",
            Self::MissingColumn { .. } => "field missing",
            Self::ColumnCount { .. } => "wrong number of cells",
            Self::BadId { .. } => "invalid id",
            Self::TooLong { .. } | Self::UnclosedQuote { .. } | Self::RepeatedColumn { .. } => {
                "cannot be read"
            }
        }
    }

    /// Whether the reader can go on with the next record.
    pub(super) fn is_of_one_record(&self) -> bool {
        !matches!(
            self,
            Self::TooLong { .. } | Self::UnclosedQuote { .. } | Self::RepeatedColumn { .. }
        )
    }

    pub(super) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooLong { .. } => "check that the file has line ends, or split the document",
            Self::NotUtf8 { .. } => "convert the file, for example with `iconv -f latin1 -t utf-8`",
            Self::Json { .. } => {
                "every line must be one whole JSON object; \
                 `jq -c '.[]'` turns an array into such lines, `jq -c .` joins broken objects"
            }
            Self::WrongType { .. } => "name another column, or convert the values",
            Self::MissingColumn { role: "title" | "metadata", .. } => {
                "name only columns that exist"
            }
            Self::MissingColumn { .. } => "name the columns of id and text explicitly",
            Self::RepeatedColumn { .. } => "rename one of the columns, or remove it",
            Self::ColumnCount { .. } => {
                "in CSV quote a cell that holds a comma; TSV has no quotes, \
                 and without a header it is id and text"
            }
            Self::UnclosedQuote { .. } => {
                "close the quote, or write a quote inside a cell as `\"\"`"
            }
            Self::BadId { .. } => "give every entry an id of visible characters",
        })
    }
}
