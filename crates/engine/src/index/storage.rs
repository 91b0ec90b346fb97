//! Where an index keeps its files: a directory, or in tests a twin of it that fails.
//!
//! Files are immutable: each is written once, synced, and later removed; only [`CURRENT`] is
//! replaced, by a rename. So the trait has the few calls that change a directory, and what reads
//! goes to the file system directly.

#![expect(unsafe_code, reason = "files are mapped into memory")]

use std::fmt::Debug;
use std::fs::{File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytemuck::Pod;
use memmap2::{Mmap, UncheckedAdvice};
use serde::{Deserialize, Serialize};

const _: () = assert!(cfg!(target_endian = "little"), "files are cast from little-endian bytes");

/// The name of the file that names the current manifest.
///
/// [`Storage::replace`] is the only way to change it.
pub(crate) const CURRENT: &str = "CURRENT";

/// What changes a directory, one system call or so each.
pub(crate) trait Storage: Debug + Send + Sync {
    /// Makes a new file.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;
    /// Gives a file a name that another may have.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is written from its start to its end.
pub(crate) trait StorageFile: Write + Debug + Send {
    /// Makes the bytes durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory on a disk.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Storage for Disk {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(File::options().write(true).create_new(true).open(self.path.join(name))?))
    }

    #[expect(clippy::disallowed_methods, reason = "what takes the name was synced before")]
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl StorageFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A finished file: what a manifest says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) crc32: u32,
}

/// A file that is being written, and its checksum so far.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    file: BufWriter<Box<dyn StorageFile>>,
    hasher: crc32fast::Hasher,
    bytes: u64,
}

impl Output {
    pub(crate) fn create(storage: &dyn Storage, name: &str) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, storage.create(name)?);
        Ok(Self { name: name.to_owned(), file, hasher: crc32fast::Hasher::new(), bytes: 0 })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Makes the file durable; its name becomes so with [`Storage::sync`].
    pub(crate) fn finish(mut self) -> io::Result<FileEntry> {
        self.file.flush()?;
        self.file.get_mut().sync()?;
        Ok(FileEntry { name: self.name, bytes: self.bytes, crc32: self.hasher.finalize() })
    }
}

/// Writes a whole file.
pub(crate) fn write_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<FileEntry> {
    let mut output = Output::create(storage, name)?;
    output.write(bytes)?;
    output.finish()
}

/// A file in memory, as far as it is looked at.
#[derive(Debug)]
pub(crate) struct Mapped {
    /// An empty file cannot be mapped.
    map: Option<Mmap>,
}

impl Mapped {
    /// Maps a file that has as many bytes as it should.
    pub(crate) fn open(directory: &Path, entry: &FileEntry) -> io::Result<Self> {
        let file = File::open(directory.join(&entry.name))?;
        let found = file.metadata()?.len();
        if found != entry.bytes {
            let error = format!("it has {found} bytes, wanted {}", entry.bytes);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        if found == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: files of an index are written once and never changed; whoever cuts one off
        // while it is read gets a signal, as with every program that maps files.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self { map: Some(map) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// Lets go of the memory of some bytes, which come back from the file when they are looked at.
    ///
    /// A walk over a large file would otherwise seem to take all of it.
    pub(crate) fn release(&self, bytes: Range<usize>) {
        #[cfg(unix)]
        if let Some(map) = self.map.as_ref().filter(|map| bytes.end <= map.len()) {
            let length = bytes.len();
            // SAFETY: the map is of a file and read only, so that nothing is lost.
            // An error means that the memory stays.
            let _ = unsafe {
                map.unchecked_advise_range(UncheckedAdvice::DontNeed, bytes.start, length)
            };
        }
    }

    /// The content as numbers; none if their size does not divide the file's.
    pub(crate) fn numbers<T: Pod>(&self) -> &[T] {
        bytemuck::try_cast_slice(self.bytes()).unwrap_or_default()
    }
}

/// A lock on a file, which ends with it.
///
/// `None` when another has it. Where a file system knows no locks, everyone gets a shared one, and
/// nobody one for himself: only he would remove or write something.
pub(crate) fn try_lock(file: File, shared: bool) -> Option<File> {
    let result = if shared { file.try_lock_shared() } else { file.try_lock() };
    match result {
        Ok(()) => Some(file),
        Err(TryLockError::Error(_)) if shared => Some(file),
        Err(_) => None,
    }
}
