//! What a format of files has to provide.

use std::path::Path;

use crate::error::ReadError;
use crate::outline::Outline;

/// A format of files: one file of this folder, and one line of its table.
pub(super) struct Kind {
    /// Whether a file is of it.
    pub(super) is: fn(&Head<'_>) -> bool,
    pub(super) read: Reader,
}

/// How the text of a file is read.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// From characters, and the name of the file as [`Head`] has it.
    Text(fn(String, &str) -> Text),
    /// From bytes, of a format that need not be text.
    Bytes(fn(&[u8]) -> Result<Text, Unreadable>),
}

/// The beginning of a file, and its name.
pub(super) struct Head<'f> {
    /// The first 8 KiB, unpacked.
    pub(super) bytes: &'f [u8],
    /// The same as characters, or empty if it is not text.
    pub(super) text: &'f str,
    /// The name in lower case, without a suffix for packing.
    pub(super) name: &'f str,
}

impl Head<'_> {
    pub(super) fn ends_in(&self, extensions: &[&str]) -> bool {
        extension(self.name).is_some_and(|found| extensions.contains(&found))
    }
}

/// What follows the last dot of a name.
pub(super) fn extension(name: &str) -> Option<&str> {
    Path::new(name).extension()?.to_str()
}

/// A text, and what its format says about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    /// The title that the format gives it.
    pub(super) title: Option<String>,
    pub(super) text: String,
    pub(super) outline: Outline,
}

/// Why there is no text of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It has none, for a reason of a few words.
    NoText(&'static str),
    /// It is broken: what was found.
    Damaged(String),
}

impl Unreadable {
    pub(super) fn at(self, path: &Path) -> ReadError {
        let path = path.into();
        match self {
            Self::NoText(reason) => ReadError::NoText { path, reason },
            Self::Damaged(what) => ReadError::Damaged { path, what },
        }
    }
}
