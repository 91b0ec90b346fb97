//! Files with a size and a checksum, to detect damage later.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::storage::{Storage, StorageFile};

/// The recorded name, size and checksum of a finished file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in its directory.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The CRC-32 of its bytes.
    pub crc32: u32,
}

/// How a file differs from its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The file does not exist.
    Absent,
    /// The file has another size.
    Bytes {
        /// Its size.
        found: u64,
        /// The size it was written with.
        wanted: u64,
    },
    /// The file has other bytes.
    Checksum,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the file is missing"),
            Self::Bytes { found, wanted } => write!(f, "it has {found} bytes, wanted {wanted}"),
            Self::Checksum => f.write_str("checksum mismatch"),
        }
    }
}

impl FileEntry {
    /// Reads a file, and returns its entry.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn of(directory: &Path, name: &str) -> io::Result<Self> {
        let (bytes, crc32) = sum(File::open(directory.join(name))?, &mut |_| true)?;
        Ok(Self { name: name.to_owned(), bytes, crc32 })
    }

    /// Compares the size of the file, which takes one system call.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn check_size(&self, directory: &Path) -> io::Result<Option<Difference>> {
        match directory.join(&self.name).metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Difference::Absent)),
            about => Ok(self.other_size(about?.len())),
        }
    }

    /// Compares all bytes of the file.
    ///
    /// `watch` receives the number of bytes read since the last call, and returns whether to go
    /// on; after a stop no difference is reported.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn check(
        &self,
        directory: &Path,
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> io::Result<Option<Difference>> {
        let file = match File::open(directory.join(&self.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(Difference::Absent));
            }
            opened => opened?,
        };
        let mut stopped = false;
        let (bytes, crc32) = sum(file, &mut |count| {
            stopped = !watch(count);
            !stopped
        })?;
        let other = (crc32 != self.crc32).then_some(Difference::Checksum);
        Ok(self.other_size(bytes).or(other).filter(|_| !stopped))
    }

    fn other_size(&self, found: u64) -> Option<Difference> {
        (found != self.bytes).then_some(Difference::Bytes { found, wanted: self.bytes })
    }
}

/// The size and the checksum of a file, read until `watch` returns false.
fn sum(mut file: File, watch: &mut dyn FnMut(u64) -> bool) -> io::Result<(u64, u32)> {
    let (mut hasher, mut bytes) = (crc32fast::Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        hasher.update(&buffer[..count]);
        bytes += count as u64;
        if count == 0 || !watch(count as u64) {
            return Ok((bytes, hasher.finalize()));
        }
    }
}

/// A file that is being written, and its checksum so far.
#[derive(Debug)]
pub struct Output {
    name: String,
    file: BufWriter<Box<dyn StorageFile>>,
    hasher: crc32fast::Hasher,
    bytes: u64,
}

impl Output {
    /// Creates the file.
    ///
    /// # Errors
    ///
    /// As [`Storage::create`].
    pub fn create(storage: &dyn Storage, name: &str) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, storage.create(name)?);
        Ok(Self { name: name.to_owned(), file, hasher: crc32fast::Hasher::new(), bytes: 0 })
    }

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Makes the bytes durable; the name becomes durable with [`Storage::sync`].
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn finish(mut self) -> io::Result<FileEntry> {
        self.file.flush()?;
        self.file.get_mut().sync()?;
        Ok(FileEntry { name: self.name, bytes: self.bytes, crc32: self.hasher.finalize() })
    }
}

/// Writes a whole new file.
///
/// # Errors
///
/// The name is taken, or an I/O call fails.
pub fn write_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<FileEntry> {
    let mut output = Output::create(storage, name)?;
    output.write(bytes)?;
    output.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Disk;

    #[test]
    fn every_difference_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        let entry = write_file(&Disk::new(directory), "a", b"123456789").unwrap();
        // the check value of CRC-32
        assert_eq!((entry.bytes, entry.crc32), (9, 0xCBF4_3926));
        assert_eq!(FileEntry::of(directory, "a").unwrap(), entry);
        let found = |entry: &FileEntry| entry.check(directory, &mut |_| true).unwrap();
        assert_eq!(found(&entry), None);
        let other = FileEntry { crc32: 1, ..entry.clone() };
        assert_eq!(found(&other), Some(Difference::Checksum));
        assert_eq!(other.check(directory, &mut |_| false).unwrap(), None);
        assert_eq!(other.check_size(directory).unwrap(), None);
        let longer = FileEntry { bytes: 10, ..entry.clone() };
        let bytes = Some(Difference::Bytes { found: 9, wanted: 10 });
        assert_eq!(found(&longer), bytes);
        assert_eq!(longer.check_size(directory).unwrap(), bytes);
        let absent = FileEntry { name: "b".to_owned(), ..entry };
        assert_eq!(found(&absent), Some(Difference::Absent));
        assert_eq!(absent.check_size(directory).unwrap(), Some(Difference::Absent));
    }
}
