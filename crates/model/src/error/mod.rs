//! Why a model cannot be opened, or makes no views.

mod checkpoint;

pub use checkpoint::CheckpointError;

/// Why a model cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The files are wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The CPU cannot do what is asked for.
    #[error("this CPU has no instructions for bf16: neither AMX nor AVX-512 BF16")]
    Instructions,
    /// The system gives no threads.
    #[error("cannot start the threads that encode")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl OpenError {
    /// The way out, if there is one to be named.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            OpenError::Checkpoint(error) => error.hint(),
            OpenError::Instructions => Some("take precision `auto` or `f32`"),
            OpenError::Threads(_) => Some("ask for fewer threads"),
        }
    }
}

/// What a model makes of a text is no number, or infinite, though its weights are finite.
#[derive(Debug, thiserror::Error)]
#[error("{what} has the value {value}, wanted finite numbers")]
pub struct NotFinite {
    /// What the model made.
    pub what: &'static str,
    /// A value in it.
    pub value: f32,
}

impl NotFinite {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        "the weights are too large: use an earlier checkpoint, or precision `f32`"
    }
}
