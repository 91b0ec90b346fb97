//! Why a run file is refused.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file cannot be read.
    #[error("cannot read the run file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not TOML, or a key does not exist, is missing, or has a value of another kind.
    #[error("run file `{}` is not right: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader said, and where.
        what: String,
    },
    /// A value cannot be.
    #[error("`{key}` in `{}` is {found}, wanted {wanted}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        wanted: String,
    },
    /// Two settings contradict each other.
    #[error("`{key}` in `{}` is {found}, which {reason}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it is.
        found: String,
        /// Why that cannot be.
        reason: &'static str,
    },
    /// A change from the command line names no key.
    #[error("cannot set `{key}` to `{value}`: there is no such key")]
    Change {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
}

impl RunError {
    #[expect(clippy::needless_pass_by_value, reason = "it stands behind `map_err`")]
    pub(super) fn syntax(source: toml::de::Error) -> Self {
        Self::Syntax { path: PathBuf::new(), what: source.to_string().trim_end().to_owned() }
    }

    /// Says which file it is about.
    pub(super) fn within(mut self, file: &Path) -> Self {
        match &mut self {
            Self::Syntax { path, .. }
            | Self::Value { path, .. }
            | Self::Contradiction { path, .. } => {
                file.clone_into(path);
            }
            Self::Read { .. } | Self::Change { .. } => {}
        }
        self
    }

    /// The way out, if one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } => Some("`recipes` in the repository has a run file for each system"),
            Self::Syntax { .. } | Self::Change { .. } => {
                Some("every key is listed and explained in `docs/guide/training.md`")
            }
            Self::Value { .. } | Self::Contradiction { .. } => None,
        }
    }
}
