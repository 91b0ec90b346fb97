//! A directory that long work writes: it can be interrupted at any moment and continued.
//!
//! All files go into `NAME.partial`, with a journal, `progress.json`: the settings of the work, and
//! how much of it is synced to disk. The directory is renamed when all is done. Work is continued
//! only with the same settings; one process at a time works on it.

mod error;
mod journal;
mod known_files;

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fastlane_model::FingerprintMatch;

use fastlane_durable as durable;

use crate::storage::{self, cannot_write};

pub(crate) use error::PartialError;
pub(crate) use fastlane_engine::VectorFilesError;
pub(crate) use journal::{WorkProgress, WorkSettings};

use journal::{FORMAT, Journal};
use known_files::JOURNAL;

/// A path for a directory, checked to be free or ours.
pub(crate) struct OutputPlace {
    path: PathBuf,
    partial: PathBuf,
    overwrite: bool,
}

impl OutputPlace {
    /// Makes sure that the directory may be made at `path`, before any work is done.
    ///
    /// A directory that is there must be empty, or consist of our files and be given up. None of
    /// the `inputs` may lie in it.
    pub(crate) fn new(path: &Path, inputs: &[&Path], overwrite: bool) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            bail!("the output is many files, wanted a directory in place of `-`");
        }
        // a link stays: the directory behind it is replaced
        let path = match path.canonicalize() {
            Ok(behind) if path.is_symlink() => behind,
            Err(_) if path.is_symlink() => {
                bail!("`{}` is a broken link, wanted a directory to write", path.display())
            }
            _ => path.to_owned(),
        };
        let Some(name) = path.file_name() else {
            bail!("`{}` has no name, wanted a name for a new directory", path.display());
        };
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = path.with_file_name(partial);
        let place = Self { path, partial, overwrite };
        place.check_kind()?;
        for input in inputs {
            place.check_input(input)?;
        }
        place.check_what_is_there()?;
        Ok(place)
    }

    /// Makes sure that a directory of this name can be made, or replaced.
    fn check_kind(&self) -> anyhow::Result<()> {
        let (path, parent) = (&self.path, durable::parent(&self.path));
        let Some(around) = parent.metadata().ok().filter(std::fs::Metadata::is_dir) else {
            bail!("{}: there is no directory `{}`", cannot_write(path), parent.display());
        };
        match path.metadata() {
            Ok(about) if !about.is_dir() => {
                bail!("`{}` is a file, wanted a directory to write", path.display())
            }
            Ok(about) if about.dev() != around.dev() || storage::is_mounted(path) => {
                bail!("`{}` is a mount point, wanted a directory below it", path.display())
            }
            _ => Ok(()),
        }
    }

    fn check_input(&self, input: &Path) -> anyhow::Result<()> {
        if let (Ok(path), Ok(input)) = (self.path.canonicalize(), input.canonicalize())
            && input.starts_with(path)
        {
            bail!("`{}` holds an input, wanted another directory to write", self.path.display());
        }
        Ok(())
    }

    /// Makes sure that nothing is lost when the directory takes its name.
    fn check_what_is_there(&self) -> anyhow::Result<()> {
        self.check_kind()?;
        match std::fs::read_dir(&self.path).map(|mut entries| entries.next().is_some()) {
            Ok(true) if !self.overwrite => {
                Err(PartialError::Exists { path: self.path.clone() }.into())
            }
            Ok(_) => Ok(known_files::check(&self.path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(PartialError::Read { path: self.path.clone(), source }.into()),
        }
    }

    /// Whether the directory would be below another.
    pub(crate) fn is_below(&self, other: &Path) -> bool {
        let parent = durable::parent(&self.path).canonicalize();
        parent.is_ok_and(|parent| other.canonicalize().is_ok_and(|other| parent.starts_with(other)))
    }

    /// Starts the work, or continues it; `compare` compares a fingerprint with that of the model.
    pub(crate) fn begin(
        self,
        begun: WorkSettings,
        compare: &dyn Fn(&str) -> anyhow::Result<FingerprintMatch>,
    ) -> anyhow::Result<Partial> {
        let made = match std::fs::create_dir(&self.partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        };
        // the error names `out`, not the partial directory
        made.with_context(|| cannot_write(&self.path))?;
        // before the names of files, which a newer version may have others of
        let journal = Journal::read(&self.partial.join(JOURNAL));
        if let Err(newer @ PartialError::Format { .. }) = journal
            && !self.overwrite
        {
            return Err(newer.into());
        }
        known_files::check(&self.partial)?;
        let lock = lock(&self.partial)?;
        // the previous holder of the lock may have finished since the first check
        if let Err(error) = self.check_what_is_there() {
            // goes through if it is empty
            let _ = std::fs::remove_dir(&self.partial);
            return Err(error);
        }
        let done = self.continued(&begun, compare)?;
        let mut partial =
            Partial { place: self, begun, done: WorkProgress::default(), _lock: lock };
        match done {
            Some(done) => partial.done = done,
            None => partial.begin_anew()?,
        }
        Ok(partial)
    }

    /// How far earlier work with the same settings got.
    fn continued(
        &self,
        begun: &WorkSettings,
        compare: &dyn Fn(&str) -> anyhow::Result<FingerprintMatch>,
    ) -> anyhow::Result<Option<WorkProgress>> {
        let other = match Journal::read(&self.partial.join(JOURNAL)) {
            Ok(None) => return Ok(None),
            // nothing is lost
            Ok(Some(journal)) if journal.done.texts == 0 => return Ok(None),
            Ok(Some(Journal { begun: mut before, done, .. })) => {
                if compare(&before.fingerprint)? == FingerprintMatch::Earlier {
                    before.fingerprint.clone_from(&begun.fingerprint);
                }
                match before.difference(begun) {
                    None => return Ok(Some(done)),
                    Some((what, begun, wanted)) => {
                        PartialError::Other { path: self.partial.clone(), what, begun, wanted }
                    }
                }
            }
            Err(error @ PartialError::Read { .. }) => return Err(error.into()),
            Err(error) => error,
        };
        if self.overwrite { Ok(None) } else { Err(other.into()) }
    }
}

/// A directory that is being written.
pub(crate) struct Partial {
    place: OutputPlace,
    begun: WorkSettings,
    /// The progress in the journal.
    pub(crate) done: WorkProgress,
    /// Ends with the process, however that ends.
    _lock: File,
}

impl Partial {
    /// Where the files go.
    pub(crate) fn directory(&self) -> &Path {
        &self.place.partial
    }

    /// The settings that the work was started with.
    pub(crate) fn begun(&self) -> &WorkSettings {
        &self.begun
    }

    /// Whether work that cannot be continued may start again.
    pub(crate) fn may_restart(&self) -> bool {
        self.place.overwrite
    }

    /// Discards all progress.
    pub(crate) fn begin_anew(&mut self) -> anyhow::Result<()> {
        self.save(WorkProgress::default())?;
        known_files::remove_all_but_journal(self.directory())
            .with_context(|| cannot_write(self.directory()))
    }

    /// Writes into the journal how far the files are on the disk.
    pub(crate) fn save(&mut self, done: WorkProgress) -> anyhow::Result<()> {
        let journal = Journal { format: FORMAT, begun: self.begun.clone(), done };
        let path = self.directory().join(JOURNAL);
        let text = serde_json::to_vec_pretty(&journal)?;
        durable::replace(&path, &text).with_context(|| cannot_write(&path))?;
        self.done = journal.done;
        Ok(())
    }

    /// Gives the directory its name; on an error it stays as it is.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        // something may have been created there since the first check
        self.place.check_what_is_there()?;
        let path = &self.place.path;
        let named = match self.place.overwrite {
            true => storage::replace_directory(self.directory(), path),
            false => durable::rename(self.directory(), path),
        };
        named.with_context(|| cannot_write(path))?;
        // the last, so that work is never without its journal; it does no harm if it stays
        let _ = std::fs::remove_file(path.join(JOURNAL));
        Ok(())
    }

    /// Stops here: progress is kept to be continued; without progress, the directory is removed.
    pub(crate) fn leave(self) -> Option<(PathBuf, u64)> {
        if self.done.texts == 0 {
            // best effort: the next call starts again in any case
            let _ = known_files::remove(self.directory());
            let _ = std::fs::remove_dir(self.directory());
            return None;
        }
        Some((self.place.partial, self.done.texts))
    }
}

/// Locks the directory against a second process.
fn lock(path: &Path) -> anyhow::Result<File> {
    let directory = File::open(path).with_context(|| cannot_write(path))?;
    let busy = || Err(PartialError::Busy { path: path.to_owned() }.into());
    match directory.try_lock() {
        Err(TryLockError::WouldBlock) => return busy(),
        // a file system without locks
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    // the previous holder of the lock may have renamed or removed the directory
    let number = |about: io::Result<std::fs::Metadata>| about.map(|about| about.ino()).ok();
    if number(directory.metadata()) != number(path.metadata()) {
        return busy();
    }
    Ok(directory)
}
