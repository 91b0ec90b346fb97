//! Directories whose names survive a power failure.

use std::fs::File;
use std::io;
use std::path::Path;

/// Creates a directory and all its missing parents, and makes their names durable.
///
/// For an existing directory this costs one system call and no sync.
///
/// # Errors
///
/// The path or one of its parents is a file, or an I/O call fails.
pub fn make_directory(path: &Path) -> io::Result<()> {
    make(path, &mut sync_directory)
}

fn make(path: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if path.exists() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let above = parent(path);
    make(above, sync)?;
    match std::fs::create_dir(path) {
        // another process created it first
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    sync(above)
}

/// The directory in which a path lies; `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a directory durable.
///
/// # Errors
///
/// It is not a directory, or an I/O call fails.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Renames a file or directory whose content was synced, and makes the new name durable.
///
/// # Errors
///
/// An I/O call fails; if only the sync failed, the file has the new name.
#[expect(clippy::disallowed_methods, reason = "this is the place that syncs after it")]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_directory(parent(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_d3_every_directory_that_got_a_new_name_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let mut synced = Vec::new();
        let mut sync = |path: &Path| {
            synced.push(path.strip_prefix(folder.path()).unwrap().to_owned());
            Ok(())
        };
        let deep = folder.path().join("a/b/c");
        make(&deep, &mut sync).unwrap();
        make(&deep, &mut sync).unwrap();
        assert_eq!(synced, ["", "a", "a/b"].map(std::path::PathBuf::from));
    }

    #[test]
    fn all_missing_parents_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_directory(&deep).unwrap();
        make_directory(&deep).unwrap();
        assert!(deep.is_dir());
        let file = deep.join("file");
        File::options().write(true).create_new(true).open(&file).unwrap();
        for path in [&file, &file.join("below")] {
            assert_eq!(make_directory(path).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        }
    }
}
