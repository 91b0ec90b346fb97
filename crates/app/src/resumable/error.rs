//! Why a directory cannot be begun or continued.

use std::io;
use std::path::PathBuf;

use fastlane_engine::VectorFilesError;

use super::journal::FORMATS;

/// Why a directory cannot be begun or continued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartialError {
    /// It is there.
    #[error("`{}` is there already, wanted a new directory", path.display())]
    Exists { path: PathBuf },
    /// It is not ours to replace.
    #[error("`{}` holds `{name}`, which `encode` did not write: it stays as it is", path.display())]
    Foreign { path: PathBuf, name: String },
    /// It cannot be looked into.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It was begun with other settings.
    #[error("`{}` was begun with {what} {begun}, wanted {wanted}", path.display())]
    Other { path: PathBuf, what: &'static str, begun: String, wanted: String },
    /// The texts that are done are others by now.
    #[error("`{}` does not begin with the {texts} in `{}`", input.display(), path.display())]
    Changed { path: PathBuf, input: PathBuf, texts: String },
    /// The files are not what the journal says.
    #[error("`{}` is damaged", path.display())]
    Damaged { path: PathBuf, source: VectorFilesError },
    /// The journal has a format that is not read.
    #[error("`{}` has format {found}, this program reads {FORMATS}", path.display())]
    Format { path: PathBuf, found: u32 },
    /// The journal is broken.
    #[error("cannot understand `{}`", path.display())]
    Journal { path: PathBuf, source: serde_json::Error },
    /// Another process is at it.
    #[error("another process is writing `{}`", path.display())]
    Busy { path: PathBuf },
}

impl PartialError {
    /// Names the way out.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("choose another name, or replace it with --overwrite"),
            Self::Foreign { .. } => Some("choose another name, or move that file away"),
            Self::Other { .. } | Self::Changed { .. } => {
                Some("repeat what it was begun with, or begin anew with --overwrite")
            }
            Self::Format { .. } => {
                Some("continue with the newer version of fastlane, or begin anew with --overwrite")
            }
            Self::Journal { .. } | Self::Damaged { .. } => Some("begin anew with --overwrite"),
            Self::Busy { .. } => Some("wait for it, or choose another name"),
            Self::Read { .. } => None,
        }
    }
}
