//! Records that are read as they are asked for.

use super::bad_files::{BadFiles, LeftOut};
use super::columns::Columns;
use super::format::Format;
use super::lines::Lines;
use crate::error::ReadError;
use crate::source::Progress;

/// How to read a collection; the defaults suit most.
#[derive(Debug, Clone, Default)]
pub struct ReadSettings {
    /// The format, told from the path when `None`.
    pub format: Option<Format>,
    /// The columns of BEIR, JSONL, CSV and TSV; the other formats have none that could be named.
    pub columns: Columns,
    /// What becomes of files of a folder that cannot be read.
    pub bad_files: BadFiles,
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
    ignored: u64,
    left_out: LeftOut,
}

impl<T> Records<T> {
    pub(super) fn new(pull: Pull<T>, if_empty: ReadError, progress: Progress) -> Self {
        let left_out = LeftOut::default();
        Self { pull: Some(pull), if_empty: Some(if_empty), progress, ignored: 0, left_out }
    }

    pub(super) fn ignoring(self, ignored: u64) -> Self {
        Self { ignored, ..self }
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

    /// How many files of a folder are left out because they are neither text nor Markdown.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// A handle on the files of a folder that are left out because they cannot be read: see
    /// [`BadFiles::LeaveOut`].
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
