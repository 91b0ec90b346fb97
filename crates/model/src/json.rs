//! The small JSON files of a checkpoint.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::CheckpointError;

/// What a Git LFS pointer starts with.
pub(crate) const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Reads a whole file; a missing file and a Git LFS pointer have errors of their own.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| cannot_read(path, source))?;
    if bytes.starts_with(LFS) {
        return Err(CheckpointError::LfsPointer { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Reads a file that must be there.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    parse(path, &read_bytes(path)?)
}

/// Parses the content of a file.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, CheckpointError> {
    serde_json::from_slice(bytes)
        .map_err(|source| CheckpointError::Json { path: path.to_owned(), source })
}

/// Reads a file that need not be there: every setting has a default.
pub(crate) fn read_or_default<T: DeserializeOwned + Default>(
    path: &Path,
) -> Result<T, CheckpointError> {
    match read(path) {
        Err(CheckpointError::Missing { .. }) => Ok(T::default()),
        other => other,
    }
}

pub(crate) fn cannot_read(path: &Path, source: io::Error) -> CheckpointError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => CheckpointError::Missing { path },
        _ => CheckpointError::Read { path, source },
    }
}
