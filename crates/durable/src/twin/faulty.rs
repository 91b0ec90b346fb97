//! A disk on which the n-th call fails, and all calls after it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Unsynced;
use crate::storage::{Storage, StorageFile};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call has no effect.
    Refused,
    /// The disk is full after half of the bytes.
    NoSpace,
    /// The call takes effect, but an error is reported.
    Pretended,
}

/// Fails at the n-th call that changes something, and at all later ones.
#[derive(Debug, Clone)]
pub struct Faulty {
    disk: Arc<Unsynced>,
    left: Arc<AtomicI64>,
    fault: Fault,
}

impl Faulty {
    /// The storage of a directory on which this number of calls succeeds.
    pub fn new(path: &Path, calls: i64, fault: Fault) -> Self {
        let (disk, left) = (Arc::new(Unsynced::new(path)), Arc::new(AtomicI64::new(calls)));
        Self { disk, left, fault }
    }

    /// Whether a call has failed.
    pub fn failed(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }

    fn call<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match (self.left.fetch_sub(1, Ordering::Relaxed), self.fault) {
            (1.., _) => act(),
            (0, Fault::Pretended) => act().and_then(|_| Err(io::Error::other("injected"))),
            _ => Err(io::Error::other("injected")),
        }
    }
}

impl Storage for Faulty {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = self.call(|| self.disk.create(name))?;
        Ok(Box::new(FaultyFile { file, storage: self.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(|| self.disk.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(|| self.disk.remove(name))
    }

    fn sync(&self) -> io::Result<()> {
        self.call(|| Ok(()))
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn StorageFile>,
    storage: Faulty,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let half = &bytes[..bytes.len().div_ceil(2)];
        let last = self.storage.left.load(Ordering::Relaxed) == 0;
        if last && self.storage.fault == Fault::NoSpace {
            self.file.write_all(half)?;
        }
        // a short write is not an error: the rest comes with another call
        self.storage.call(|| self.file.write(half))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StorageFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.storage.call(|| Ok(()))
    }
}
