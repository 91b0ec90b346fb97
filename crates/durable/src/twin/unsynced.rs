//! A disk that makes nothing durable.

use std::io::{self, Write};
use std::path::Path;

use crate::storage::{Disk, Storage, StorageFile};

/// A disk that makes nothing durable: for tests that do not simulate power loss, and should be
/// fast.
#[derive(Debug)]
pub struct Unsynced {
    disk: Disk,
}

impl Unsynced {
    /// The storage of a directory.
    pub fn new(path: &Path) -> Self {
        Self { disk: Disk::new(path) }
    }
}

impl Storage for Unsynced {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(UnsyncedFile(self.disk.create(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct UnsyncedFile(Box<dyn StorageFile>);

impl Write for UnsyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl StorageFile for UnsyncedFile {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
