//! The origin and format of a directory of views: `model.json`.
//!
//! The format is that of the whole directory, and is read first. Format 1 has no format field, and
//! its fingerprint has 16 digits. A directory without the file, as other programs write it, is read
//! as format 1.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ORIGIN;
use super::error::{VectorFilesError, cannot_read, cannot_write};

/// The format that is written.
const FORMAT: u32 = 2;

/// The largest file that is read, in bytes: ours has a few hundred.
const MOST: u64 = 1 << 16;

/// The model that made the views of a directory, and the kind of texts.
///
/// Other fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the model's directory, for display.
    pub model: String,
    /// The fingerprint of the model, wherever it is stored.
    pub fingerprint: String,
    /// The kind of texts: `documents` or `queries`.
    pub texts: String,
    /// The CPU instructions that the model used, for display.
    pub instructions: String,
}

/// The file: its format and content.
#[derive(Serialize)]
struct Versioned<'a> {
    format: u32,
    #[serde(flatten)]
    origin: &'a Origin,
}

/// The field that all formats have.
#[derive(Deserialize)]
struct Version {
    #[serde(default = "first")]
    format: u32,
}

fn first() -> u32 {
    1
}

impl Origin {
    /// Writes it next to the views, and syncs it to disk.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn write(&self, directory: &Path) -> Result<(), VectorFilesError> {
        let path = directory.join(ORIGIN);
        let file = Versioned { format: FORMAT, origin: self };
        let write = || {
            let mut text = serde_json::to_vec_pretty(&file)?;
            text.push(b'\n');
            let mut file = File::options().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(|source| cannot_write(&path, source))
    }

    /// Reads it, the format first; `None` where other programs wrote the views.
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
