//! A directory that is made in long work: it can be stopped at any moment, and continued.
//!
//! Everything goes into `NAME.partial`, and beside it into a journal there, `progress.json`: what
//! the work was begun with, and how far it is safely on the disk. The directory takes its name
//! when all is done. Work is continued only with what it was begun with; one process at a time
//! works on it.

mod error;
mod journal;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fastlane_engine::VectorWriter;

use crate::storage::{self, cannot_write};

pub(crate) use error::PartialError;
pub(crate) use journal::{Begun, Done};

use journal::Journal;

const JOURNAL: &str = "progress.json";

/// A place for a directory, known to be free or to be ours.
pub(crate) struct Place {
    path: PathBuf,
    partial: PathBuf,
    overwrite: bool,
}

impl Place {
    /// Makes sure that the directory may be made at `path`, before any work is done.
    ///
    /// A directory that is there must be empty, or consist of our files and be given up. None of
    /// the `inputs` may lie in it.
    pub(crate) fn new(path: &Path, inputs: &[&Path], overwrite: bool) -> anyhow::Result<Self> {
        // a link stays: the directory behind it is replaced
        let behind = path.canonicalize().ok().filter(|_| path.is_symlink());
        let path = behind.unwrap_or_else(|| path.to_owned());
        let Some(name) = path.file_name() else {
            bail!("`{}` names no directory, wanted a name for a new one", path.display());
        };
        let mut partial = name.to_owned();
        partial.push(".partial");
        let partial = path.with_file_name(partial);
        let parent = storage::directory(&path);
        if !parent.is_dir() {
            bail!("{}: there is no directory `{}`", cannot_write(&path), parent.display());
        }
        let place = Self { path, partial, overwrite };
        for input in inputs {
            place.check_input(input)?;
        }
        place.check_what_is_there()?;
        Ok(place)
    }

    fn check_input(&self, input: &Path) -> anyhow::Result<()> {
        if let (Ok(path), Ok(input)) = (self.path.canonicalize(), input.canonicalize())
            && input.starts_with(path)
        {
            bail!("`{}` holds an input, wanted another directory to write", self.path.display());
        }
        Ok(())
    }

    fn check_what_is_there(&self) -> anyhow::Result<()> {
        match self.path.metadata() {
            Err(_) => return Ok(()),
            Ok(about) if !about.is_dir() => {
                bail!("`{}` is a file, wanted a directory to write", self.path.display())
            }
            Ok(_) => {}
        }
        let empty = std::fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_none());
        if !empty && !self.overwrite {
            return Err(PartialError::Exists { path: self.path.clone() }.into());
        }
        Ok(check_ours(&self.path)?)
    }

    /// Tells whether the directory would lie below another.
    pub(crate) fn is_below(&self, other: &Path) -> bool {
        let parent = storage::directory(&self.path).canonicalize();
        parent.is_ok_and(|parent| other.canonicalize().is_ok_and(|other| parent.starts_with(other)))
    }

    /// Begins the work, or continues it.
    pub(crate) fn begin(self, begun: Begun) -> anyhow::Result<Partial> {
        let made = match std::fs::create_dir(&self.partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        };
        // the error says `out`, for which the directory stands
        made.with_context(|| cannot_write(&self.path))?;
        check_ours(&self.partial)?;
        let lock = lock(&self.partial)?;
        let done = self.continued(&begun)?.unwrap_or_default();
        Ok(Partial { place: self, begun, done, _lock: lock })
    }

    /// How far earlier work with the same settings got.
    fn continued(&self, begun: &Begun) -> anyhow::Result<Option<Done>> {
        let path = self.partial.join(JOURNAL);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read `{}`", path.display()))?,
        };
        let other = match serde_json::from_slice::<Journal>(&text) {
            Ok(journal) => match journal.begun.difference(begun) {
                None => return Ok(Some(journal.done)),
                // nothing is lost
                Some(_) if journal.done.texts == 0 => return Ok(None),
                Some((what, begun, wanted)) => {
                    let path = self.partial.clone();
                    PartialError::Other { path, what, begun, wanted }
                }
            },
            Err(source) => PartialError::Journal { path, source },
        };
        if self.overwrite { Ok(None) } else { Err(other.into()) }
    }
}

/// A directory in the making.
pub(crate) struct Partial {
    place: Place,
    begun: Begun,
    /// How far the journal says it is.
    pub(crate) done: Done,
    /// Ends with the process, however that ends.
    _lock: File,
}

impl Partial {
    /// Where the files go.
    pub(crate) fn directory(&self) -> &Path {
        &self.place.partial
    }

    /// Whether work may begin anew where it cannot be continued.
    pub(crate) fn may_begin_anew(&self) -> bool {
        self.place.overwrite
    }

    /// Writes into the journal how far the files are on the disk.
    pub(crate) fn save(&mut self, done: Done) -> anyhow::Result<()> {
        self.done = done;
        let journal = Journal { begun: self.begun.clone(), done: self.done.clone() };
        let path = self.directory().join(JOURNAL);
        let text = serde_json::to_vec_pretty(&journal)?;
        storage::replace(&path, &text).with_context(|| cannot_write(&path))
    }

    /// Gives the directory its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let path = &self.place.path;
        storage::replace_directory(self.directory(), path).with_context(|| cannot_write(path))?;
        // the last, so that work is never without its journal; it does no harm if it stays
        let _ = std::fs::remove_file(path.join(JOURNAL));
        Ok(())
    }

    /// Leaves the work as it is: what is done stays to be continued, and nothing if there is none.
    pub(crate) fn leave(self) -> Option<(PathBuf, u64)> {
        if self.done.texts == 0 {
            let _ = std::fs::remove_dir_all(self.directory());
            return None;
        }
        Some((self.place.partial.clone(), self.done.texts))
    }
}

/// Keeps a second process from the same work.
fn lock(path: &Path) -> anyhow::Result<File> {
    let directory = File::open(path).with_context(|| cannot_write(path))?;
    match directory.try_lock() {
        Err(TryLockError::WouldBlock) => Err(PartialError::Busy { path: path.to_owned() }.into()),
        // a file system without locks
        Ok(()) | Err(TryLockError::Error(_)) => Ok(directory),
    }
}

/// Makes sure that nothing in a directory was put there by somebody else.
fn check_ours(path: &Path) -> Result<(), PartialError> {
    let read = |source| PartialError::Read { path: path.to_owned(), source };
    for entry in std::fs::read_dir(path).map_err(read)? {
        let name = entry.map_err(read)?.file_name();
        let name = name.to_string_lossy();
        let journal = name.strip_suffix(".partial").unwrap_or(&name) == JOURNAL;
        if !journal && !VectorWriter::is_file_name(&name) {
            return Err(PartialError::Foreign { path: path.to_owned(), name: name.into_owned() });
        }
    }
    Ok(())
}
