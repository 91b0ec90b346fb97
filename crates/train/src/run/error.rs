//! Errors of run files.

use std::io;
use std::path::{Path, PathBuf};

/// A run file is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file cannot be read.
    #[error("cannot read the run file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// It is not TOML, or a key is unknown, missing, or has a value of the wrong type.
    #[error("run file `{}` is not right: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's message, with the position.
        what: String,
    },
    /// A value is invalid.
    #[error("`{key}` in `{}` is {found}, wanted {wanted}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// The valid values.
        wanted: String,
    },
    /// Two settings contradict each other.
    #[error("`{key}` in `{}` is {found}, which {reason}", path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// The contradiction.
        reason: &'static str,
    },
    /// A change from the command line names no known key.
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

    /// Sets the file of the error.
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

    /// A hint on how to fix it, if there is one.
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
