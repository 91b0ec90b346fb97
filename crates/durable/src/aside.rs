//! Files and directories that get their names when they are complete.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::directory::{parent, rename, sync_directory};

/// A large file that is written under a temporary name, and removed unless it is finished.
#[derive(Debug)]
pub struct AsideFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AsideFile {
    /// Creates a file next to `path`, with the permissions of the file that it will replace.
    ///
    /// # Errors
    ///
    /// The directory does not exist, or an I/O call fails.
    pub fn new(path: &Path) -> io::Result<Self> {
        // the permissions that a new file has, as the umask allows
        let usual = || Permissions::from_mode(0o666);
        let permissions = path.metadata().map_or_else(|_| usual(), |about| about.permissions());
        let mut builder = tempfile::Builder::new();
        let prefix = prefix(path);
        builder.prefix(&prefix).suffix(".partial").permissions(permissions);
        // tempfile's own error names a file that the user did not ask for
        let file = builder.tempfile_in(parent(path)).map_err(plain)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Makes the bytes durable, then the name.
    ///
    /// # Errors
    ///
    /// An I/O call fails; the old file is unchanged then, unless only the last sync failed.
    pub fn finish(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|error| error.error)?;
        sync_directory(parent(&self.path))
    }
}

impl Write for AsideFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new directory under a temporary name, removed with its files unless it is finished.
#[derive(Debug)]
pub struct AsideDirectory {
    directory: TempDir,
    path: PathBuf,
}

impl AsideDirectory {
    /// Creates a directory next to `path`.
    ///
    /// # Errors
    ///
    /// The parent does not exist, or an I/O call fails.
    pub fn new(path: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        let prefix = prefix(path);
        builder.prefix(&prefix).suffix(".partial").permissions(Permissions::from_mode(0o777));
        let directory = builder.tempdir_in(parent(path)).map_err(plain)?;
        Ok(Self { directory, path: path.to_owned() })
    }

    /// The directory for its files until it is finished.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes all files and names durable, then gives the directory its name.
    ///
    /// # Errors
    ///
    /// A directory with files already has the name, or an I/O call fails.
    pub fn finish(self) -> io::Result<()> {
        sync_tree(self.directory.path())?;
        rename(self.directory.path(), &self.path)?;
        // its name is gone, so there is nothing to remove
        let _ = self.directory.keep();
        Ok(())
    }
}

/// Syncs all files and directories below a directory, and the directory itself.
fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        match path.is_dir() {
            true => sync_tree(&path)?,
            false => std::fs::File::open(&path)?.sync_all()?,
        }
    }
    sync_directory(directory)
}

fn prefix(path: &Path) -> std::ffi::OsString {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix
}

fn plain(error: io::Error) -> io::Error {
    error.raw_os_error().map_or(error, io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_finished_and_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = AsideFile::new(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        let mut file = AsideFile::new(&path).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0);
        assert_ne!(mode & 0o044, 0, "{mode:o}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn two_directories_for_one_name_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let directories = [(); 2].map(|()| AsideDirectory::new(&path).unwrap());
        for (number, directory) in directories.iter().enumerate() {
            let file = directory.path().join("file");
            crate::replace(&file, &[number as u8]).unwrap();
        }
        let [first, second] = directories;
        first.finish().unwrap();
        // the name is taken by a directory with files
        second.finish().unwrap_err();
        assert_eq!(std::fs::read(path.join("file")).unwrap(), [0]);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_ne!(mode & 0o055, 0, "{mode:o}");
    }
}
