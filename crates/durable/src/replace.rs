//! A small file that is replaced as a whole.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::directory::parent;
use crate::storage::{Disk, Storage};

/// Writes a file, replacing an existing one of that name.
///
/// Until the last step the bytes are in `NAME.aside`. A crash may leave that file; the next call
/// replaces it. So two processes must not write the same file at once: callers hold a lock.
///
/// # Errors
///
/// The name is not UTF-8, or an I/O call fails. The old file is unchanged then, unless only the
/// last sync failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().and_then(OsStr::to_str);
    let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    replace_in(&Disk::new(parent(path)), name, bytes)
}

/// As [`replace`], in a [`Storage`].
///
/// # Errors
///
/// As [`replace`].
pub fn replace_in(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = format!("{name}.aside");
    let written = write_aside(storage, &aside, bytes).and_then(|()| storage.rename(&aside, name));
    if written.is_err() {
        // on a full disk it would take up the remaining space
        let _ = storage.remove(&aside);
    }
    written?;
    storage.sync()
}

fn write_aside(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = match storage.create(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            storage.remove(name)?;
            storage.create(name)?
        }
        created => created?,
    };
    file.write_all(bytes)?;
    file.flush()?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::{Fault, Faulty, Forgetful, Loss};

    fn read(folder: &Path) -> Vec<u8> {
        std::fs::read(folder.join("a")).unwrap()
    }

    #[test]
    fn a_call_that_fails_leaves_the_old_bytes_or_the_new_ones() {
        for fault in [Fault::Refused, Fault::NoSpace, Fault::Pretended] {
            let mut calls = 0;
            loop {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("a");
                replace(&path, b"old").unwrap();
                let storage = Faulty::new(folder.path(), calls, fault);
                let replaced = replace_in(&storage, "a", b"the new");
                let found = read(folder.path());
                assert!(found == b"old" || found == b"the new", "{fault:?} {calls}: {found:?}");
                assert!(replaced.is_err() || found == b"the new", "{fault:?} {calls}");
                // a later call works whatever was left behind
                replace(&path, b"later").unwrap();
                assert_eq!(read(folder.path()), b"later");
                assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
                if !storage.failed() {
                    break;
                }
                calls += 1;
            }
            assert!(calls > 4, "only {calls} calls were tried");
        }
    }

    #[test]
    fn what_was_reported_holds_without_power() {
        for loss in [Loss::Names, Loss::NewNames, Loss::Bytes] {
            let mut calls = 0;
            loop {
                let folder = tempfile::tempdir().unwrap();
                replace(&folder.path().join("a"), b"old").unwrap();
                let storage = Forgetful::new(folder.path(), calls);
                let replaced = replace_in(&storage, "a", b"the new");
                let powerless = storage.lose(loss);
                let found = read(folder.path());
                assert!(found == b"old" || found == b"the new", "{loss:?} {calls}: {found:?}");
                assert!(replaced.is_err() || found == b"the new", "{loss:?} {calls}");
                if !powerless {
                    break;
                }
                calls += 1;
            }
            assert!(calls > 4, "only {calls} calls were tried");
        }
    }
}
