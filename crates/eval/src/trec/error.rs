//! Why a file could not be read or written, and the way out.

use std::fmt;
use std::io;

/// Which of the two files of an evaluation was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// What a system returned.
    Run,
    /// What people judged.
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

/// Why a run or a qrels file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes did not arrive.
    #[error("cannot read `{file}` beyond line {line}")]
    Io {
        /// The file's name.
        file: String,
        /// The last line that did arrive.
        line: usize,
        /// What went wrong below.
        source: io::Error,
    },
    /// There is no line to read.
    #[error("`{file}` is empty, wanted {wanted}")]
    Empty {
        /// The file's name.
        file: String,
        /// What was expected in it.
        wanted: FileKind,
    },
    /// A line says something impossible.
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
    /// The way out, as one sentence for people.
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
        /// What the file should be.
        wanted: FileKind,
    },
    /// The rank or score is no number.
    #[error("{column} `{found}` is not a number")]
    NotANumber {
        /// The column's name.
        column: &'static str,
        /// What stands there.
        found: String,
    },
    /// The score is NaN or infinite.
    #[error("score `{found}` is not finite, so no ranking can place it")]
    NotFinite {
        /// What stands there.
        found: String,
    },
    /// The relevance is no whole number.
    #[error("relevance `{found}` is not a whole number of 32 bits")]
    Relevance {
        /// What stands there.
        found: String,
    },
    /// A document stands twice under one query.
    #[error("document `{document}` stands twice under query `{query}`, first on line {first}")]
    Duplicate {
        /// The query's id.
        query: String,
        /// The document's id.
        document: String,
        /// The line it stood on before.
        first: usize,
    },
    /// The tag changes inside the file.
    #[error("tag `{found}` differs from `{first}` on the lines before, wanted one run per file")]
    MixedTags {
        /// This line's tag.
        found: String,
        /// The tag so far.
        first: String,
    },
    /// The bytes are no text.
    #[error("byte {byte} of the line is not UTF-8 text")]
    NotUtf8 {
        /// The byte's place in the line, counted from 1.
        byte: usize,
    },
    /// This is the other of the two files.
    #[error("`{text}` looks like {found}, wanted {wanted}")]
    WrongKind {
        /// The line, shortened.
        text: String,
        /// What it looks like.
        found: FileKind,
        /// What was expected.
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

/// Why a run or qrels could not be written.
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
    /// The way out, as one sentence for people.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Id { .. } => Some("give it an id without spaces; `_` and `%20` are common"),
            Self::Io(_) => None,
        }
    }
}

/// `text` fit for a message: at most 60 characters, control characters made visible.
pub(super) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short.replace("\\'", "'").replace("\\\"", "\"")
}
