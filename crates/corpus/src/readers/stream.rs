//! Records that are read as they are asked for.

use super::columns::Columns;
use super::format::Format;
use super::lines::Lines;
use super::skipped::{LeftOut, OnError};
use crate::error::ReadError;
use crate::source::Progress;

/// How to read a collection; the defaults suit most.
#[derive(Debug, Clone, Default)]
pub struct ReadSettings {
    /// The format, told from the path when `None`.
    pub format: Option<Format>,
    /// The columns of BEIR, JSONL, CSV and TSV; the other formats have none that could be named.
    pub columns: Columns,
    /// What becomes of a document that cannot be read. Queries and triples always stop: an
    /// evaluation on fewer of them would mislead.
    pub on_error: OnError,
    /// If any are given, only files of a folder that match one of these globs are read: `*.md`,
    /// `docs/**`. One without a slash is for names in any folder. They overrule `.gitignore`.
    pub include: Vec<String>,
    /// Files and folders of a folder that match one of these globs are not read.
    pub exclude: Vec<String>,
}

/// A function that gives one more record each time, and `None` at the end.
pub(super) type Pull<T> = Box<dyn FnMut() -> Result<Option<T>, ReadError> + Send>;

/// A stream of records read as they are asked for, in memory that does not grow with the file.
///
/// The first error ends the stream, and a stream that ends without a record gives an error.
pub struct Records<T> {
    /// Taken when the stream has ended.
    pull: Option<Pull<T>>,
    /// Given when not a single record comes.
    if_empty: Option<ReadError>,
    progress: Progress,
    left_out: LeftOut,
}

impl<T> Records<T> {
    pub(super) fn new(pull: Pull<T>, if_empty: ReadError, progress: Progress) -> Self {
        let left_out = LeftOut::default();
        Self { pull: Some(pull), if_empty: Some(if_empty), progress, left_out }
    }

    pub(super) fn leaving_out(self, left_out: LeftOut) -> Self {
        Self { left_out, ..self }
    }

    pub(super) fn of_lines(
        mut lines: Lines,
        wanted: &'static str,
        mut next: impl FnMut(&mut Lines) -> Result<Option<T>, ReadError> + Send + 'static,
    ) -> Self {
        let if_empty = ReadError::Empty { path: lines.source().path().into(), wanted };
        let progress = lines.source().progress();
        Self::new(Box::new(move || next(&mut lines)), if_empty, progress)
    }

    /// A handle that tells from anywhere how much has been read.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// A handle on what is left out: files without text, and what cannot be read, if
    /// [`OnError::Skip`] is set. It is complete when the stream has ended.
    pub fn left_out(&self) -> LeftOut {
        self.left_out.clone()
    }
}

impl<T> Iterator for Records<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = (self.pull.as_mut()?)().transpose();
        match &next {
            Some(Ok(_)) => self.if_empty = None,
            Some(Err(_)) => self.pull = None,
            None => {
                self.pull = None;
                return self.if_empty.take().map(Err);
            }
        }
        next
    }
}

impl<T> std::fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("progress", &self.progress).finish_non_exhaustive()
    }
}
