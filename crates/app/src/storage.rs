//! Atomic files and directories: written to a temporary name, synced, then renamed.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fastlane_durable::{AsideFile, parent, rename};

/// A file to be written, checked to be writable before any work is done.
pub(crate) struct Target {
    path: PathBuf,
    place: Place,
}

enum Place {
    /// A regular file: everything goes into a new one first, which then takes its name.
    Aside(AsideFile),
    /// Standard output, a pipe or a device: there is nothing to rename.
    Direct(File),
}

impl Target {
    /// Makes room for the file at `path`, `-` meaning standard output.
    ///
    /// It must not be one of the `inputs`, and not have a name that promises compression.
    pub(crate) fn new(path: &Path, inputs: &[&Path]) -> anyhow::Result<Self> {
        let same = |input: &&Path| path.is_file() && behind_links(input) == behind_links(path);
        if inputs.iter().any(same) {
            bail!("`{}` is an input, wanted another file to write", path.display());
        }
        if path.extension().is_some_and(|suffix| suffix == "gz" || suffix == "zst") {
            bail!(
                "`{}` would not be compressed, wanted a name without .gz or .zst",
                path.display()
            );
        }
        let place = match path.metadata() {
            _ if path.as_os_str() == "-" => Place::Direct(standard_output()?),
            Ok(about) if about.is_dir() => {
                bail!("`{}` is a directory, wanted the name of a file to write", path.display())
            }
            Ok(about) if !about.is_file() => Place::Direct(
                File::options().write(true).open(path).with_context(|| cannot_write(path))?,
            ),
            _ => Place::Aside(aside(path).with_context(|| cannot_write(path))?),
        };
        Ok(Self { path: path.to_owned(), place })
    }

    /// Fills the file and gives it its name; on any error the old file stays as it was.
    ///
    /// Errors of `fill` come back as they are: only what it writes is this file's business, and
    /// [`cannot_write`] names it.
    pub(crate) fn write(
        self,
        fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self.place {
            Place::Direct(mut file) => fill(&mut file),
            Place::Aside(mut file) => {
                fill(&mut file)?;
                file.finish().with_context(|| cannot_write(&self.path))
            }
        }
    }
}

/// Renames a directory, whose files are synced, and removes the directory that had the name.
///
/// A rename cannot replace a directory that is not empty: for a moment there is none.
pub(crate) fn replace_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    if !to.is_dir() {
        return rename(from, to);
    }
    let aside = tempfile::Builder::new().prefix(".").suffix(".old").tempdir_in(parent(to))?;
    let old = aside.path().join("old");
    rename(to, &old)?;
    let Err(error) = rename(from, to) else { return Ok(()) };
    if old.is_dir() && rename(&old, to).is_err() {
        // the only copy there is
        let kept = aside.keep();
        let words = format!("{error}; the previous directory is in `{}`", kept.display());
        return Err(std::io::Error::new(error.kind(), words));
    }
    Err(error)
}

/// Whether a directory is a mount point, so that nothing else can take its name.
///
/// The numbers of disks do not tell where a directory of one disk is mounted on another. The
/// system does, before it refuses to rename what has no name.
pub(crate) fn is_mounted(path: &Path) -> bool {
    let renamed = rename(&path.join("."), &parent(path).join("."));
    renamed.is_err_and(|error| error.kind() == ErrorKind::CrossesDevices)
}

fn standard_output() -> anyhow::Result<File> {
    use std::os::fd::AsFd as _;
    let copy = std::io::stdout().as_fd().try_clone_to_owned();
    Ok(copy.context("cannot write to standard output")?.into())
}

/// The message for a failed write.
pub(crate) fn cannot_write(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "cannot write to standard output".to_owned();
    }
    format!("cannot write `{}`", path.display())
}

/// A new file in the same directory: only there is a rename one step.
fn aside(path: &Path) -> anyhow::Result<AsideFile> {
    let destination = behind_links(path);
    destination.file_name().context("it is not a file name")?;
    let directory = parent(&destination);
    if !directory.is_dir() {
        bail!("there is no directory `{}`", directory.display());
    }
    Ok(AsideFile::new(&destination)?)
}

/// A link keeps pointing where it does: the file behind it is replaced.
fn behind_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.run");
        Target::new(&path, &[]).unwrap().write(|out| Ok(out.write_all(b"old")?)).unwrap();

        let failed = Target::new(&path, &[]).unwrap().write(|out| {
            out.write_all(b"half")?;
            bail!("the disk is on fire")
        });
        assert!(failed.unwrap_err().to_string() == "the disk is on fire");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        Target::new(&file, &[]).unwrap().write(|out| Ok(out.write_all(b"old")?)).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();

        Target::new(&link, &[]).unwrap().write(|out| Ok(out.write_all(b"new")?)).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_before_any_work() {
        let directory = tempfile::tempdir().unwrap();
        let said = |path: &Path| format!("{:#}", Target::new(path, &[]).err().unwrap());
        assert!(said(directory.path()).contains("is a directory, wanted the name of a file"));
        assert!(said(&directory.path().join("no/x.run")).contains("there is no directory"));
    }
}
