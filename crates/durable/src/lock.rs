//! Locks between processes, which end with the process that holds them.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// An exclusive lock on a file, released on drop.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of a file, which is created if it does not exist; `None` when another process
    /// holds it.
    ///
    /// A lock belongs to a file, not to its name. So after it is taken, the file must still have
    /// the name: the previous holder may have removed the directory, and another process may have
    /// made a new one with a different lock file.
    ///
    /// # Errors
    ///
    /// An I/O call fails, or the file system does not support locks.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let same = is_at(&file, path)?;
        Ok(same.then_some(Self { file }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // closing the file is not enough: a process that any thread is just starting has a copy of
        // it until it runs its own program
        let _ = self.file.unlock();
    }
}

/// Whether a file still has its name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match path.metadata() {
        Ok(about) => Ok((about.dev(), about.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes a lock on an open file, which is released with it; `None` when another process holds it.
///
/// Without lock support in the file system, shared locks succeed and exclusive ones fail, because
/// only the holder of an exclusive lock removes or writes something.
pub fn try_lock(file: File, shared: bool) -> Option<File> {
    let result = if shared { file.try_lock_shared() } else { file.try_lock() };
    match result {
        Ok(()) => Some(file),
        Err(TryLockError::Error(_)) if shared => Some(file),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap().unwrap();
        assert!(Lock::take(&path).unwrap().is_none());
        drop(lock);
        Lock::take(&path).unwrap().unwrap();
    }

    #[test]
    fn it_ends_though_another_process_has_a_copy_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap().unwrap();
        let copy = lock.file.try_clone().unwrap();
        drop(lock);
        Lock::take(&path).unwrap().unwrap();
        drop(copy);
    }

    #[test]
    fn a_file_that_was_replaced_is_another_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::options().create_new(true).write(true).open(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        Lock::take(&path).unwrap().unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }
}
