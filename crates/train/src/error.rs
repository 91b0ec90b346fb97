//! Why a run cannot begin, or cannot go on.

use std::io;
use std::ops::RangeInclusive;
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
    /// There is nothing that could learn.
    #[error(
        "nothing learns in this run: the encoder is frozen, and there are no maps, router or document lanes"
    )]
    Nothing,
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
    /// What was saved has a format that is not read.
    #[error(
        "`{}` has format {found}, this program reads {} to {}",
        path.display(),
        wanted.start(),
        wanted.end()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The formats that are read.
        wanted: RangeInclusive<u32>,
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
    /// The directory holds what no run made, and a run would put its own in that place.
    #[error("`{}` has a `{found}` that no run made, and this one would put its own there", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// The model to start from stands where the new one shall be.
    #[error("`model` is `{}`, where this run would put what it learned", path.display())]
    OverModel {
        /// The model.
        path: PathBuf,
    },
    /// Another process trains there.
    #[error("another process trains in `{}`", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
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
    /// Whether it was asked to stop before there was anything to save: no error of the run.
    pub fn is_stop(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Data(DataError::States { source, .. }) => {
                source.kind() == io::ErrorKind::Interrupted
            }
            _ => false,
        }
    }

    /// The way out, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Run(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Write { .. } | Self::Checkpoint(CheckpointError::Write { .. }) => {
                Some("make room and run the same command again: it goes on")
            }
            Self::Checkpoint(error) => error.hint(),
            Self::NotFinite { .. } => Some(
                "lower `optimiser.rate` or raise `loss.temperature`, and choose another `--output`; \
                 what was saved in this one is whole",
            ),
            Self::OtherRun { .. } => Some("choose another `--output`, or remove this one"),
            Self::Format { found, wanted, .. } => Some(match found > wanted.end() {
                true => "go on with the newer version of fastlane, or choose another `--output`",
                false => "choose another `--output`: the run begins again there",
            }),
            Self::Nothing => {
                Some("set `architecture.dim` or `architecture.tuned_layers`, or `mode = \"full\"`")
            }
            Self::NotOurs { .. } | Self::OverModel { .. } => {
                Some("choose another `--output`, a directory for this run alone")
            }
            Self::Locked { .. } => Some("wait until it is done, or choose another `--output`"),
            Self::Device { .. } => Some("set `device = \"cpu\"`"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_a_stop() {
        let path = || PathBuf::from("a");
        let states = |kind| {
            TrainError::from(DataError::States { path: path(), source: io::Error::from(kind) })
        };
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(TrainError::Stopped.is_stop());
        assert!(states(io::ErrorKind::Interrupted).is_stop());
        assert!(!states(io::ErrorKind::StorageFull).is_stop());
        assert!(!TrainError::Write { path: path(), source: full }.is_stop());
    }
}
