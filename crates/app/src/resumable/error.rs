//! Why a directory cannot be started or continued.

use std::io;
use std::path::PathBuf;

use fastlane_engine::VectorFilesError;

use super::journal::FORMATS;

/// Why a directory cannot be started or continued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartialError {
    /// It is there.
    #[error("`{}` already exists, wanted a new directory", path.display())]
    Exists { path: PathBuf },
    /// It holds files that are not ours.
    #[error("`{}` holds `{name}`, which `encode` did not write: not replaced", path.display())]
    Foreign { path: PathBuf, name: String },
    /// It cannot be looked into.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It was started with other settings.
    #[error("`{}` was started with {what} {begun}, wanted {wanted}", path.display())]
    Other { path: PathBuf, what: &'static str, begun: String, wanted: String },
    /// The texts that are done have changed.
    #[error("`{}` does not begin with the {texts} in `{}`", input.display(), path.display())]
    Changed { path: PathBuf, input: PathBuf, texts: String },
    /// The files do not match the journal.
    #[error("`{}` is damaged", path.display())]
    Damaged { path: PathBuf, source: VectorFilesError },
    /// The journal has an unsupported format.
    #[error("`{}` has format {found}, this program reads {FORMATS}", path.display())]
    Format { path: PathBuf, found: u32 },
    /// The journal is broken.
    #[error("cannot parse `{}`", path.display())]
    Journal { path: PathBuf, source: serde_json::Error },
    /// Another process is writing it.
    #[error("another process is writing `{}`", path.display())]
    Busy { path: PathBuf },
}

impl PartialError {
    /// The hint, if there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("choose another name, or replace it with --overwrite"),
            Self::Foreign { .. } => Some("choose another name, or move that file away"),
            Self::Other { .. } | Self::Changed { .. } => {
                Some("use the same settings, or start again with --overwrite")
            }
            Self::Format { .. } => {
                Some("continue with the newer version of fastlane, or start again with --overwrite")
            }
            Self::Journal { .. } | Self::Damaged { .. } => Some("start again with --overwrite"),
            Self::Busy { .. } => Some("wait for it, or choose another name"),
            Self::Read { .. } => None,
        }
    }
}
