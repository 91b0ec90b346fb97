//! Atomic files and locks, with the errors of a run.

use std::path::Path;

use fastlane_durable::{Lock, make_directory, replace};

use crate::error::TrainError;

/// Locks a directory against other processes until the lock is dropped.
pub(crate) fn lock(directory: &Path) -> Result<Lock, TrainError> {
    let path = directory.join("lock");
    let failed = |source| TrainError::Write { path: path.clone(), source };
    make_directory(directory).map_err(failed)?;
    let lock = Lock::take(&path).map_err(failed)?;
    lock.ok_or_else(|| TrainError::Locked { path: directory.to_owned() })
}

/// Writes a file, replacing an existing one.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    replace(path, bytes).map_err(|source| TrainError::Write { path: path.to_owned(), source })
}
