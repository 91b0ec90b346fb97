//! A disk that loses power after the n-th call, and then loses what was not synced.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::{Disk, Storage, StorageFile};

/// A disk that tracks what a loss of power would leave.
#[derive(Debug, Clone)]
pub struct Forgetful {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of calls until the power is lost.
    left: usize,
    /// Files whose bytes are not synced.
    unsynced: Vec<String>,
    /// The content under names that are not synced; `None` if they are new.
    before: BTreeMap<String, Option<Vec<u8>>>,
    /// Names that come from a rename and are not synced.
    renamed: Vec<String>,
}

/// The unsynced data that a loss of power takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// New names are lost, and renames and removals are undone.
    Names,
    /// New names are lost; renames before them are kept.
    NewNames,
    /// The bytes of files are lost, and their names are kept.
    Bytes,
}

impl Forgetful {
    /// The storage of a directory that has power for this number of calls.
    pub fn new(path: &Path, calls: usize) -> Self {
        let state = State { left: calls, ..State::default() };
        Self { path: path.to_owned(), state: Arc::new(Mutex::new(state)) }
    }

    /// Cuts the power, and returns whether it was off already.
    pub fn lose(&self, loss: Loss) -> bool {
        let State { left, unsynced, before, renamed } = std::mem::take(&mut *self.state());
        for (name, bytes) in before {
            let path = self.path.join(&name);
            match (loss, bytes) {
                (Loss::Names, Some(bytes)) => overwrite(&path, &bytes),
                (Loss::NewNames, None) if renamed.contains(&name) => {}
                (Loss::Names | Loss::NewNames, None) => drop(std::fs::remove_file(path)),
                _ => {}
            }
        }
        if loss == Loss::Bytes {
            let files = unsynced.into_iter().map(|name| self.path.join(name));
            files.filter(|file| file.exists()).for_each(|file| overwrite(&file, b""));
        }
        left == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call while there is power.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        state.left = state.left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        act(&mut state)
    }

    /// Records the content under a name.
    fn remember(&self, state: &mut State, name: &str) {
        let before = std::fs::read(self.path.join(name)).ok();
        state.before.entry(name.to_owned()).or_insert(before);
    }
}

impl Storage for Forgetful {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.call(|state| {
            let file = Disk::new(&self.path).create(name)?;
            state.before.entry(name.to_owned()).or_insert(None);
            state.unsynced.push(name.to_owned());
            Ok(Box::new(ForgetfulFile { file, name: name.to_owned(), disk: self.clone() }) as _)
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(|state| {
            self.remember(state, from);
            self.remember(state, to);
            state.unsynced.iter_mut().filter(|name| *name == from).for_each(|name| {
                to.clone_into(name);
            });
            state.renamed.push(to.to_owned());
            Disk::new(&self.path).rename(from, to)
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(|state| {
            self.remember(state, name);
            Disk::new(&self.path).remove(name)
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.call(|state| {
            state.before.clear();
            state.renamed.clear();
            Ok(())
        })
    }
}

#[derive(Debug)]
struct ForgetfulFile {
    file: Box<dyn StorageFile>,
    name: String,
    disk: Forgetful,
}

impl Write for ForgetfulFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.call(|_| self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StorageFile for ForgetfulFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.call(|state| {
            state.unsynced.retain(|name| *name != self.name);
            Ok(())
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "it damages a file on purpose")]
fn overwrite(path: &Path, bytes: &[u8]) {
    // if a file cannot be damaged it stays whole, which no test counts as a loss
    let _ = std::fs::write(path, bytes);
}
