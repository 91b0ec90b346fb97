//! The file of ids, one per line, all distinct.
//!
//! A hash of each id is kept in memory, about 16 bytes. When a hash repeats, the file is read to
//! see whether the id is the same.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::{VectorFilesError, cannot_read, cannot_write};
use super::npy::open_at;

#[derive(Debug)]
pub(super) struct Ids {
    path: PathBuf,
    out: BufWriter<File>,
    /// The size including line ends.
    bytes: u64,
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl Ids {
    /// Opens or creates the file, and truncates it to `bytes`.
    pub(super) fn open(path: PathBuf, bytes: u64) -> Result<Self, VectorFilesError> {
        let out = BufWriter::new(open_at(&path, bytes)?);
        let hasher = RandomState::new();
        let seen = match bytes {
            0 => HashSet::new(),
            _ => {
                read(&path, bytes)?.map(|id| Ok(hasher.hash_one(id?))).collect::<Result<_, _>>()?
            }
        };
        Ok(Self { path, out, bytes, seen, hasher })
    }

    /// Checks that an id fits one line, and that no earlier text has it.
    pub(super) fn check(&mut self, id: &str) -> Result<(), VectorFilesError> {
        if id.contains(is_line_break) {
            return Err(VectorFilesError::Id { id: id.to_owned() });
        }
        if !self.seen.contains(&self.hasher.hash_one(id)) {
            return Ok(());
        }
        self.flush()?;
        for (before, other) in read(&self.path, self.bytes)?.enumerate() {
            if other? == id {
                return Err(VectorFilesError::Twice {
                    id: id.to_owned(),
                    first: before as u64 + 1,
                });
            }
        }
        Ok(())
    }

    /// Appends an id that was checked.
    pub(super) fn push(&mut self, id: &str) -> Result<(), VectorFilesError> {
        let line = self.out.write_all(id.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        line.map_err(|source| cannot_write(&self.path, source))?;
        self.seen.insert(self.hasher.hash_one(id));
        self.bytes += id.len() as u64 + 1;
        Ok(())
    }

    /// Syncs the ids to disk.
    pub(super) fn sync(&mut self) -> Result<(), VectorFilesError> {
        self.flush()?;
        self.out.get_ref().sync_data().map_err(|source| cannot_write(&self.path, source))
    }

    fn flush(&mut self) -> Result<(), VectorFilesError> {
        self.out.flush().map_err(|source| cannot_write(&self.path, source))
    }
}

/// The ids in the first bytes of a file.
pub(super) fn read(
    path: &Path,
    bytes: u64,
) -> Result<impl Iterator<Item = Result<String, VectorFilesError>> + Send + use<>, VectorFilesError>
{
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let lines = BufReader::new(file.take(bytes)).lines();
    let path = path.to_owned();
    Ok(lines.map(move |line| line.map_err(|source| cannot_read(&path, source))))
}

/// Whether some program takes it as a line break, such as Python's `splitlines`.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
