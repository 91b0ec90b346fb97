//! Files that are whole or not there.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::TrainError;

/// Keeps other processes out of a directory until the file is dropped.
pub(crate) fn lock(directory: &Path) -> Result<File, TrainError> {
    let path = directory.join("lock");
    let failed = |source| TrainError::Write { path: path.clone(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    let open = File::options().write(true).create(true).truncate(false).open(&path);
    let file = open.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TrainError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Writes a file beside, syncs it, and gives it its name.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let failed = |source| TrainError::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".aside");
    let aside = path.with_file_name(name);
    let write = || {
        let mut file = File::options().write(true).create(true).truncate(true).open(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        rename(&aside, path)
    };
    write().map_err(failed)
}

/// Syncs a directory whose files were synced, and gives it its name, which nothing has yet.
pub(crate) fn put_directory(aside: &Path, path: &Path) -> io::Result<()> {
    File::open(aside)?.sync_all()?;
    rename(aside, path)?;
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

#[expect(clippy::disallowed_methods, reason = "what takes the name was synced before")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}
