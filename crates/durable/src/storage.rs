//! One directory, and the calls that change it.
//!
//! Files are written once, from start to end, and never changed in place, so the trait has only
//! the calls that change the directory. Readers go to the file system directly.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::directory::sync_directory;

/// The calls that change a directory; each is about one system call.
pub trait Storage: Debug + Send + Sync {
    /// Creates a new file.
    ///
    /// # Errors
    ///
    /// The name is taken, or an I/O call fails.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Renames a file, and replaces the one that has the new name.
    ///
    /// # Errors
    ///
    /// There is no such file, or an I/O call fails.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// There is no such file, or an I/O call fails.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes new, changed and removed names durable.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is written from its start to its end.
pub trait StorageFile: Write + Debug + Send {
    /// Makes the bytes durable.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory on a disk.
#[derive(Debug, Clone)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// The storage of a directory, which must exist before the first call.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Storage for Disk {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(File::options().write(true).create_new(true).open(self.path.join(name))?))
    }

    #[expect(clippy::disallowed_methods, reason = "callers sync the file before they rename it")]
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }
}

impl StorageFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
