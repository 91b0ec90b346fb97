//! Why a run cannot begin, or cannot go on.

use std::io;
use std::path::PathBuf;

use fastlane_model::{CheckpointError, OpenError};

use crate::data::DataError;
use crate::run::RunError;

/// Why a run cannot begin, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The run file is refused.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is nothing to learn from.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The checkpoint to start from cannot be read, or what was learned not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The encoder cannot be run.
    #[error(transparent)]
    Encoder(#[from] OpenError),
    /// The run file and the checkpoint do not fit each other.
    #[error("`{key}` is {found}, but the checkpoint `{}` {reason}", path.display())]
    Unfit {
        /// The key of the run file.
        key: &'static str,
        /// What it is.
        found: String,
        /// The checkpoint.
        path: PathBuf,
        /// What it has.
        reason: String,
    },
    /// A loss is no number any more.
    #[error("the term `{term}` is {value} at step {step}: the run stops there")]
    NotFinite {
        /// Which term.
        term: &'static str,
        /// What it is.
        value: f64,
        /// At which step, from 1.
        step: u32,
        /// What was saved before.
        saved: Option<u32>,
    },
    /// What a run starts from cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What belongs to a run cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was saved cannot be read again.
    #[error("cannot resume from `{}`: {what}", path.display())]
    Resume {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// There is no run to report on.
    #[error("there is no run in `{}`", path.display())]
    NoRun {
        /// Where its metrics should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory holds a run that differs.
    #[error("`{}` holds a run whose `{key}` is {found}, this one's is {wanted}", path.display())]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What differs.
        key: String,
        /// What the run there has.
        found: String,
        /// What this one has.
        wanted: String,
    },
    /// There is no such device.
    #[error("`device` is {wanted}, but {reason}")]
    Device {
        /// What was asked for.
        wanted: &'static str,
        /// Why it cannot be had.
        reason: String,
    },
    /// It was asked to stop before the first step.
    #[error("stopped before the first step")]
    Stopped,
}

impl TrainError {
    /// The way out, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Run(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Checkpoint(error) => error.hint(),
            Self::NotFinite { .. } => Some(
                "lower `optimiser.rate` or raise `loss.temperature`; what was saved before is whole",
            ),
            Self::Write { .. } => Some("make room and run the same command again: it goes on"),
            Self::OtherRun { .. } => Some("choose another `--output`, or remove this one"),
            Self::Device { .. } => Some("set `device = \"cpu\"`"),
            _ => None,
        }
    }
}
