//! Errors of reading documents or queries, with hints.
//!
//! [`ReadError`] is about files, [`Fault`] about one line. Messages quote input through [`Excerpt`]
//! only, so that a file cannot flood a terminal or move its cursor.

mod excerpt;
mod fault;
mod place;

use std::io;
use std::path::PathBuf;

pub use excerpt::Excerpt;
pub use fault::Fault;
pub use place::{Packing, Place};

/// Why a collection could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The path does not exist.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A directory instead of a file.
    #[error("`{}` is a directory, wanted a file", path.display())]
    Directory {
        /// The path as given.
        path: PathBuf,
    },
    /// The file or directory cannot be opened.
    #[error("cannot open `{}`", path.display())]
    Open {
        /// The path that was tried.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A read failed.
    #[error("cannot read {place}")]
    Io {
        /// The line that was being read.
        place: Place,
        /// The error of the system.
        source: io::Error,
    },
    /// The compressed data ends too early: a broken download or a crashed writer.
    #[error("{place}: the {packing} data is truncated here, wanted its end mark")]
    Truncated {
        /// The line that was being read.
        place: Place,
        /// The compression of the file.
        packing: Packing,
    },
    /// The compressed data is damaged.
    #[error("{place}: the {packing} data is damaged here")]
    Corrupt {
        /// The line that was being read.
        place: Place,
        /// The compression of the file.
        packing: Packing,
        /// The error of the decoder.
        source: io::Error,
    },
    /// There is nothing to read in the file.
    #[error("`{}` is empty, wanted at least one {wanted}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What was expected in it: a document, a query, a triple.
        wanted: &'static str,
    },
    /// A folder without a single text.
    #[error("folder `{}` has no text (files: {files})", path.display())]
    NoTexts {
        /// The folder.
        path: PathBuf,
        /// How many files are in it, without hidden and ignored ones.
        files: u64,
    },
    /// A file without text.
    #[error("`{}` cannot be read as text ({reason})", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
        /// The reason, in a few words.
        reason: &'static str,
    },
    /// A file of a known format that is broken.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A folder or file without a document that can be read.
    #[error("`{}` has no document that can be read (skipped: {count})", path.display())]
    NoneReadable {
        /// The folder or file.
        path: PathBuf,
        /// How many files, folders and records cannot be read.
        count: usize,
        /// The error of the first.
        #[source]
        first: Box<ReadError>,
    },
    /// A collection of which too many records cannot be read.
    #[error("`{}` has more than {limit} records that cannot be read", path.display())]
    TooManySkipped {
        /// The file.
        path: PathBuf,
        /// How many may be skipped.
        limit: usize,
        /// The error of the last.
        #[source]
        last: Box<ReadError>,
    },
    /// A glob that cannot be understood.
    #[error("invalid glob {}: {reason}", Excerpt::of(glob))]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two of several inputs have a document with the same id.
    #[error(
        "document {} is in `{}` and in `{}`",
        Excerpt::of(id), first.display(), second.display()
    )]
    RepeatedId {
        /// The id.
        id: String,
        /// The input that had it first.
        first: PathBuf,
        /// The input that has it again.
        second: PathBuf,
    },
    /// A text file that exceeds the memory limit once it is decompressed.
    #[error("`{}` has more than {} MiB, the most a text file may have", path.display(), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in decompressed bytes.
        limit: u64,
    },
    /// Columns were named for a format that has none.
    #[error("`{}` is read as {layout}, which has no columns, wanted no column names", path.display())]
    NoColumns {
        /// The file or folder.
        path: PathBuf,
        /// How it is read, with an article.
        layout: &'static str,
    },
    /// A file name that cannot be an id.
    #[error("file name {} is not UTF-8 or has a control character", Excerpt::of(&path.to_string_lossy()))]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// Neither the name nor the settings determine the format.
    #[error("`{}` has no known format, wanted {accepted}", path.display())]
    UnknownFormat {
        /// The file or directory.
        path: PathBuf,
        /// The accepted formats.
        accepted: &'static str,
    },
    /// A line that cannot be used.
    #[error("{place}: {fault}")]
    Line {
        /// Where.
        place: Place,
        /// What is wrong there.
        fault: Fault,
    },
}

impl ReadError {
    /// The hint, as one sentence, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Directory { .. } => Some("name a file in it, or leave the format to detection"),
            Self::Truncated { .. } | Self::Corrupt { .. } => {
                Some("download or compress the file again")
            }
            Self::Empty { .. } => Some("check that the command that wrote it succeeded"),
            Self::NoTexts { .. } => Some("check the path, and which files are excluded"),
            Self::NoText { .. } => Some("convert the file to text"),
            Self::Damaged { .. } => Some("check that the file opens in another program"),
            Self::Glob { .. } => Some("write globs such as `*.md` or `docs/**`"),
            Self::RepeatedId { .. } => {
                Some("name a folder that contains both, or rename one of the folders")
            }
            Self::TooLarge { .. } => Some("split the file, or convert it to JSONL"),
            Self::FileName { .. } => Some("rename the file: its path becomes the document's id"),
            Self::NoColumns { .. } => {
                Some("leave the column names out, or name another format: jsonl, csv or tsv")
            }
            Self::UnknownFormat { .. } => Some("name the format explicitly"),
            Self::Line { fault, .. } => fault.hint(),
            Self::NoneReadable { first: one, .. } | Self::TooManySkipped { last: one, .. } => {
                one.hint()
            }
            Self::Missing { .. } | Self::Open { .. } | Self::Io { .. } => None,
        }
    }

    /// The reason in a few words, for a table.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoText { reason, .. } => reason,
            Self::TooLarge { .. } => "larger than 64 MiB",
            Self::FileName { .. } => "name not UTF-8",
            Self::Truncated { .. } | Self::Corrupt { .. } | Self::Damaged { .. } => "damaged",
            Self::Line { fault, .. } => fault.reason(),
            Self::Open { source, .. } | Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "no permission",
                io::ErrorKind::InvalidFilename => "path too long",
                _ => "cannot be opened",
            },
            _ => "cannot be opened",
        }
    }

    /// Whether a record is at fault, and the next can be read.
    pub(crate) fn concerns_one_record(&self) -> bool {
        matches!(self, Self::Line { fault, .. } if fault.is_of_one_record())
    }

    /// Whether one file or folder is at fault, and not the disk or the settings.
    pub(crate) fn concerns_one_file(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Directory { .. }
            | Self::Truncated { .. }
            | Self::Corrupt { .. }
            | Self::TooLarge { .. }
            | Self::FileName { .. }
            | Self::NoText { .. }
            | Self::Damaged { .. }
            | Self::Line { .. } => true,
            Self::Open { source, .. } | Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::IsADirectory
                    | io::ErrorKind::InvalidFilename
            ),
            Self::Empty { .. }
            | Self::NoTexts { .. }
            | Self::NoneReadable { .. }
            | Self::TooManySkipped { .. }
            | Self::Glob { .. }
            | Self::RepeatedId { .. }
            | Self::NoColumns { .. }
            | Self::UnknownFormat { .. } => false,
        }
    }
}
