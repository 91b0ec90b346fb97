//! The error of a temporary index that cannot be written.

/// The temporary index could not be written: nearly always a full or forbidden disk.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the temporary index")]
pub(crate) struct TemporaryIndexError {
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}
