//! Files of a folder that cannot be read: their paths, errors and document ids.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::ReadError;

/// What to do with a file of a folder that cannot be read.
///
/// It concerns what is wrong with one file or folder: no permission, bytes that are not UTF-8, a
/// name that cannot be an id, broken packing, too large a file, too long a path. A disk that fails
/// always ends the stream, and so does a file that was named itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BadFiles {
    /// End the stream with an error.
    #[default]
    Stop,
    /// Skip it and list it in [`Records::left_out`](crate::Records::left_out). A folder without any
    /// readable file is an error.
    LeaveOut,
}

/// A file or folder that was skipped.
#[derive(Debug)]
pub struct BadFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder, with everything below it.
    pub is_folder: bool,
    /// Why it was skipped.
    pub why: ReadError,
    /// The id of its document, or of a folder the start of all ids; none if its name cannot be an id.
    pub(super) id: Option<String>,
}

impl BadFile {
    /// Whether a document with this id comes from here, once it can be read.
    pub fn covers(&self, id: &str) -> bool {
        let rest = self.id.as_ref().and_then(|own| id.strip_prefix(own.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether this is the fault of one file or folder below the root.
    pub(super) fn may_be_left_out(&self, root: &Path) -> bool {
        self.path != root && self.why.concerns_one_file()
    }
}

/// The files that a reader has skipped so far; clones share the list.
#[derive(Debug, Clone, Default)]
pub struct LeftOut(Arc<Mutex<Vec<BadFile>>>);

impl LeftOut {
    /// Takes the files skipped since the last call, in the order of reading.
    pub fn take(&self) -> Vec<BadFile> {
        std::mem::take(&mut *self.list())
    }

    pub(super) fn add(&self, bad: BadFile) {
        self.list().push(bad);
    }

    /// Takes the first one, and returns how many there are; none if no file was skipped.
    pub(super) fn take_first(&self) -> Option<(BadFile, usize)> {
        let mut list = self.list();
        let count = list.len();
        (count > 0).then(|| (list.remove(0), count))
    }

    fn list(&self) -> MutexGuard<'_, Vec<BadFile>> {
        self.0.lock().expect("no thread panics while it holds it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_covers_its_document_and_a_folder_what_is_below_it() {
        let bad = |id: Option<&str>| BadFile {
            path: PathBuf::new(),
            is_folder: false,
            why: ReadError::Missing { path: PathBuf::new() },
            id: id.map(str::to_owned),
        };
        let covered = |id: &str| bad(Some("a/b.md")).covers(id);
        assert!(covered("a/b.md"));
        for other in ["a/b.md.gz", "a/b.m", "a/b.md#2", "b.md"] {
            assert!(!covered(other), "{other}");
        }
        assert!(bad(Some("a")).covers("a/b.md") && !bad(Some("a")).covers("ab.md"));
        assert!(!bad(None).covers("a") && !bad(None).covers(""));
    }
}
