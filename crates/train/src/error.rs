//! Errors of a training run.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use fastlane_model::{CheckpointError, OpenError};

use crate::data::DataError;
use crate::run::RunError;

/// A run cannot start, or cannot continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The run file is invalid.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The training data is missing or invalid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The initial checkpoint cannot be read, or the trained one cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The encoder cannot be run.
    #[error(transparent)]
    Encoder(#[from] OpenError),
    /// The run file does not fit the checkpoint.
    #[error("`{key}` is {found}, but the checkpoint `{}` {reason}", path.display())]
    Unfit {
        /// The key of the run file.
        key: &'static str,
        /// Its value.
        found: String,
        /// The checkpoint.
        path: PathBuf,
        /// The conflicting property.
        reason: String,
    },
    /// The encoder has layers that are not implemented with gradients.
    #[error("`{}` has architecture `{found}`, whose layers cannot be trained", path.display())]
    Layers {
        /// The weights.
        path: PathBuf,
        /// The architecture.
        found: &'static str,
    },
    /// The run has no trainable parameters.
    #[error(
        "nothing learns in this run: the encoder is frozen, and there are no maps, router or document lanes"
    )]
    Nothing,
    /// A loss is not finite.
    #[error("the term `{term}` is {value} at step {step}: the run stops there")]
    NotFinite {
        /// Which term.
        term: &'static str,
        /// Its value.
        value: f64,
        /// At which step, from 1.
        step: u32,
        /// The last saved step.
        saved: Option<u32>,
    },
    /// An input of the run cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file of the run cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A saved state cannot be read.
    #[error("cannot resume from `{}`: {what}", path.display())]
    Resume {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A saved state has an unsupported format.
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
        /// The supported formats.
        wanted: RangeInclusive<u32>,
    },
    /// There is no run to report on.
    #[error("there is no run in `{}`", path.display())]
    NoRun {
        /// The expected path of its metrics.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The directory has another run.
    #[error("`{}` holds a run whose `{key}` is {found}, this one's is {wanted}", path.display())]
    OtherRun {
        /// The directory.
        path: PathBuf,
        /// What differs.
        key: String,
        /// Its value in the run there.
        found: String,
        /// Its value in this run.
        wanted: String,
    },
    /// The directory has files that are not from a run, and that a run would overwrite.
    #[error("`{}` has a `{found}` that no run made, and this one would put its own there", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// The first such file.
        found: &'static str,
    },
    /// The initial model is at the path of the new one.
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
    /// The device is not available.
    #[error("`device` is {wanted}, but {reason}")]
    Device {
        /// The requested device.
        wanted: &'static str,
        /// The reason.
        reason: String,
    },
    /// The run was stopped before the first step.
    #[error("stopped before the first step")]
    Stopped,
}

impl TrainError {
    /// Whether the run was stopped before there was anything to save, which is not an error of the
    /// run.
    pub fn is_stop(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Data(DataError::States { source, .. }) => {
                source.kind() == io::ErrorKind::Interrupted
            }
            _ => false,
        }
    }

    /// A hint on how to fix it, if there is one.
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
