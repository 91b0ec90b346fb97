//! Where something was found.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{Fault, ReadError};

/// Where in a collection something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<Path>,
    /// The line, counted from 1.
    pub line: u64,
}

impl Place {
    pub(crate) fn error(&self, fault: Fault) -> ReadError {
        ReadError::Line { place: self.clone(), fault }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` line {}", self.path.display(), self.line)
    }
}

/// The compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip, of one or many members.
    Gzip,
    /// As Zstandard, of one or many frames.
    Zstd,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}
