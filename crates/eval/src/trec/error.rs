//! Errors of reading and writing files, with hints.

use std::fmt;
use std::io;

/// Which of the two files of an evaluation was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// The output of a system.
    Run,
    /// Relevance judgements.
    Qrels,
}

impl FileKind {
    fn columns(self) -> &'static str {
        match self {
            Self::Run => "6: query Q0 document rank score tag",
            Self::Qrels => "4: query 0 document relevance (or 3 with tabs, as BEIR writes them)",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "a TREC run",
            Self::Qrels => "a qrels file",
        })
    }
}

/// A run or a qrels file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// An I/O error.
    #[error("cannot read `{file}` beyond line {line}")]
    Io {
        /// The file's name.
        file: String,
        /// The last line that was read.
        line: usize,
        /// The I/O error.
        source: io::Error,
    },
    /// The file has no lines.
    #[error("`{file}` is empty, wanted {wanted}")]
    Empty {
        /// The file's name.
        file: String,
        /// The kind of file that was expected.
        wanted: FileKind,
    },
    /// A line is invalid.
    #[error("`{file}` line {line}: {fault}")]
    Line {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

impl ReadError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => None,
            Self::Empty { .. } => Some("check that the command that wrote it succeeded"),
            Self::Line { fault, .. } => Some(fault.hint()),
        }
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too few or too many columns.
    #[error("found {found} columns in `{text}`, wanted {}", wanted.columns())]
    Columns {
        /// How many there are.
        found: usize,
        /// The line, shortened.
        text: String,
        /// The kind of file that was expected.
        wanted: FileKind,
    },
    /// The rank or score is not a number.
    #[error("{column} `{found}` is not a number")]
    NotANumber {
        /// The column's name.
        column: &'static str,
        /// The text in the column.
        found: String,
    },
    /// The score is NaN or infinite.
    #[error("score `{found}` is not finite, so no ranking can place it")]
    NotFinite {
        /// The text in the column.
        found: String,
    },
    /// The relevance is not a whole number.
    #[error("relevance `{found}` is not a whole number of 32 bits")]
    Relevance {
        /// The text in the column.
        found: String,
    },
    /// A document occurs twice for one query.
    #[error("document `{document}` stands twice under query `{query}`, first on line {first}")]
    Duplicate {
        /// The query's id.
        query: String,
        /// The document's id.
        document: String,
        /// The line of its first occurrence.
        first: usize,
    },
    /// The tag changes within the file.
    #[error("tag `{found}` differs from `{first}` on the lines before, wanted one run per file")]
    MixedTags {
        /// This line's tag.
        found: String,
        /// The tag so far.
        first: String,
    },
    /// The bytes are not UTF-8.
    #[error("byte {byte} of the line is not UTF-8 text")]
    NotUtf8 {
        /// The byte's position in the line, counted from 1.
        byte: usize,
    },
    /// The file is of the other kind.
    #[error("`{text}` looks like {found}, wanted {wanted}")]
    WrongKind {
        /// The line, shortened.
        text: String,
        /// The kind that it looks like.
        found: FileKind,
        /// The kind that was expected.
        wanted: FileKind,
    },
}

impl Fault {
    fn hint(&self) -> &'static str {
        match self {
            Self::Columns { wanted: FileKind::Run, .. } => {
                "ids must not contain spaces, and every line needs all six columns"
            }
            Self::NotANumber { .. } => {
                "numbers have a decimal point, not a comma; an id with a space shifts the columns"
            }
            Self::Columns { wanted: FileKind::Qrels, .. } => {
                "ids must not contain spaces, except in files with tabs between the columns"
            }
            Self::NotFinite { .. } => "look for a division by zero in the system that wrote it",
            Self::Relevance { .. } => "grades are whole numbers: 0 is not relevant, 1 and up is",
            Self::Duplicate { .. } => {
                "keep one of the lines; in a run, passages must be merged into documents first"
            }
            Self::MixedTags { .. } => "split the file by its last column, one file per tag",
            Self::NotUtf8 { .. } => {
                "convert the file to UTF-8; if it is compressed, its name or content is damaged"
            }
            Self::WrongKind { .. } => "runs and qrels may have been given in the wrong order",
        }
    }
}

/// A run or qrels could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The id would break the columns of the file.
    #[error(
        "{what} `{id}` is empty, holds white space or a control character, or begins with `#`: \
         a TREC file cannot carry it"
    )]
    Id {
        /// Query, document or tag.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// The bytes could not be written.
    #[error("the file takes no more bytes")]
    Io(#[from] io::Error),
}

impl WriteError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Id { .. } => Some("give it an id without spaces; `_` and `%20` are common"),
            Self::Io(_) => None,
        }
    }
}

/// `text` shortened for a message: at most 60 characters, control characters made visible.
pub(super) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short.replace("\\'", "'").replace("\\\"", "\"")
}
