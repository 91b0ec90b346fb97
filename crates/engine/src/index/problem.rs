//! Files that are not as they were written.

use std::path::{Path, PathBuf};

use fastlane_durable::FileEntry;
use serde::Serialize;

use super::error::OpenIndexError;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// Compares a file with its checksum.
pub(super) fn check_file(
    directory: &Path,
    entry: &FileEntry,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Problem>, OpenIndexError> {
    let path = directory.join(&entry.name);
    match entry.check(directory, watch) {
        Err(source) => Err(OpenIndexError::Read { path, source }),
        Ok(difference) => Ok(difference.map(|what| Problem { path, what: what.to_string() })),
    }
}
