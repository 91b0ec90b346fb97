//! Errors of opening a model and of encoding.

mod checkpoint;

pub use checkpoint::CheckpointError;

/// A model cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The checkpoint is invalid.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The CPU lacks the instructions for the requested precision.
    #[error("this CPU has no instructions for bf16: neither AMX nor AVX-512 BF16")]
    Instructions,
    /// The thread pool cannot be created.
    #[error("cannot start the threads that encode")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl OpenError {
    /// A hint on how to fix it, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            OpenError::Checkpoint(error) => error.hint(),
            OpenError::Instructions => Some("take precision `auto` or `f32`"),
            OpenError::Threads(_) => Some("ask for fewer threads"),
        }
    }
}

/// The result for a text is NaN or infinite, though the weights are finite.
#[derive(Debug, thiserror::Error)]
#[error("{what} has the value {value}, wanted finite numbers")]
pub struct NotFinite {
    /// The kind of result.
    pub what: &'static str,
    /// A value that is not finite.
    pub value: f32,
}

impl NotFinite {
    /// A hint on how to fix it.
    pub fn hint(&self) -> &'static str {
        "the weights are too large: use an earlier checkpoint, or precision `f32`"
    }
}
