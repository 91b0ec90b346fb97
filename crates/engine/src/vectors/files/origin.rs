//! Where views come from, and in which format they lie: `model.json` beside them.
//!
//! The format is that of the whole directory, and is read before all else. Format 1 does not name
//! itself, and its fingerprint has 16 digits. A directory without the file, as other programs write
//! it, is read as format 1.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ORIGIN;
use super::error::{VectorFilesError, cannot_read, cannot_write};

/// The format that is written.
const FORMAT: u32 = 2;

/// The most bytes that are read: ours has a few hundred.
const MOST: u64 = 1 << 16;

/// Which model made the views of a directory, and of what.
///
/// What else it says is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the model's directory, for people.
    pub model: String,
    /// Tells the model from others, wherever it lies.
    pub fingerprint: String,
    /// What the texts are: `documents` or `queries`.
    pub texts: String,
    /// The instructions that the model computed with, for people.
    pub instructions: String,
}

/// The file: its format, then what it says.
#[derive(Serialize)]
struct Versioned<'a> {
    format: u32,
    #[serde(flatten)]
    origin: &'a Origin,
}

/// What a file of any format says.
#[derive(Deserialize)]
struct Version {
    #[serde(default = "first")]
    format: u32,
}

fn first() -> u32 {
    1
}

impl Origin {
    /// Writes it beside the views, and brings it onto the disk.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub fn write(&self, directory: &Path) -> Result<(), VectorFilesError> {
        let path = directory.join(ORIGIN);
        let file = Versioned { format: FORMAT, origin: self };
        let text = serde_json::to_string_pretty(&file).expect("strings make JSON") + "\n";
        let file = File::options().write(true).create(true).truncate(true).open(&path);
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| cannot_write(&path, source))
    }

    /// Reads it, the format first; none where other programs wrote the views.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, VectorFilesError> {
        let path = directory.join(ORIGIN);
        let mut text = Vec::new();
        match File::open(&path).and_then(|file| file.take(MOST).read_to_end(&mut text)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| cannot_read(&path, source))?,
        };
        let broken = |source| VectorFilesError::Origin { path: path.clone(), source };
        match serde_json::from_slice::<Version>(&text).map_err(broken)?.format {
            1..=FORMAT => serde_json::from_slice(&text).map(Some).map_err(broken),
            found => Err(VectorFilesError::Format { path: path.clone(), found }),
        }
    }
}
