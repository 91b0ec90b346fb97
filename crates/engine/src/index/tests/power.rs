//! Power that goes away: what was not synced is lost, or only half of it, and a commit holds.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{REDUCTION, THOROUGH, found, open_on, views};
use crate::index::storage::{CURRENT, Disk, Storage, StorageFile};
use crate::{Nominate, Reader, Store, Writer};

/// A disk that knows what a loss of power would leave.
#[derive(Debug, Clone)]
struct Forgetful {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls that are left until the power goes.
    left: usize,
    /// Files whose bytes are not synced.
    unsynced: Vec<String>,
    /// What lay under names that are not synced; nothing if they are new.
    before: BTreeMap<String, Option<Vec<u8>>>,
}

/// What of the unsynced a loss of power takes.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// New names, and what was renamed or removed is back.
    Names,
    /// New names only: a rename came through before them.
    NewNames,
    /// The bytes of files, under names that stay.
    Bytes,
}

impl Forgetful {
    fn new(path: &Path, calls: usize) -> Self {
        let state = State { left: calls, ..State::default() };
        Self { path: path.to_owned(), state: Arc::new(Mutex::new(state)) }
    }

    /// Does something while there is power.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock().unwrap();
        state.left = state.left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        act(&mut state)
    }

    /// Remembers what lies under a name.
    fn remember(&self, state: &mut State, name: &str) {
        let before = std::fs::read(self.path.join(name)).ok();
        state.before.entry(name.to_owned()).or_insert(before);
    }

    /// Takes the power away; tells whether it was gone already.
    fn lose(&self, loss: Loss) -> bool {
        let mut state = self.state.lock().unwrap();
        let State { left, unsynced, before } = std::mem::take(&mut *state);
        match loss {
            Loss::Names => before.into_iter().for_each(|(name, bytes)| match bytes {
                Some(bytes) => overwrite(&self.path.join(name), &bytes),
                None => drop(std::fs::remove_file(self.path.join(name))),
            }),
            Loss::NewNames => {
                let new = before.into_iter().filter(|(name, old)| old.is_none() && name != CURRENT);
                new.for_each(|(name, _)| drop(std::fs::remove_file(self.path.join(name))));
            }
            Loss::Bytes => {
                let files = unsynced.into_iter().map(|name| self.path.join(name));
                files.filter(|file| file.exists()).for_each(|file| overwrite(&file, b""));
            }
        }
        left == 0
    }
}

impl Storage for Forgetful {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.call(|state| {
            self.remember(state, name);
            state.unsynced.push(name.to_owned());
            let file = Disk::new(&self.path).create(name)?;
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

/// Three commits, with lists from the second on; tells which one was the last to return.
fn commits(writer: &mut Writer) -> u64 {
    let mut commit = |from: u64| {
        for one in from..from + 15 {
            writer.add(&format!("d{one}"), &views(one, 2), None).ok()?;
        }
        writer.delete("d3").ok()?;
        writer.commit().ok()
    };
    [0, 15, 30].into_iter().map_while(&mut commit).last().unwrap_or(0)
}

#[test]
fn a_commit_that_returned_holds_without_power() {
    for (loss, store) in
        [(Loss::Names, Store::F16), (Loss::NewNames, Store::Bits8), (Loss::Bytes, Store::Bits4)]
    {
        let mut calls = 0;
        let mut powerless = true;
        while powerless {
            let directory = tempfile::tempdir().unwrap();
            let disk = Forgetful::new(directory.path(), calls);
            let last = match open_on(Box::new(disk.clone()), directory.path(), (store, REDUCTION)) {
                Ok(mut writer) => commits(&mut writer),
                Err(_) => 0,
            };
            powerless = disk.lose(loss);
            assert_whole(directory.path(), last, &format!("{loss:?} after {calls} calls"));
            calls += 1;
        }
        assert!(calls > 80, "only {calls} calls");
    }
}

/// The last commit that returned, or the one after it, and all of it.
fn assert_whole(path: &Path, last: u64, what: &str) {
    if last == 0 && !path.join("CURRENT").exists() {
        return;
    }
    assert_eq!(Reader::check(path, |_| true).unwrap().problems, [], "{what}");
    let reader = Reader::open(path).unwrap();
    let generation = reader.generation();
    assert!((last..=last + 1).contains(&generation), "{what}: {last}, {generation}");
    assert_eq!(reader.statistics().documents, 15 * generation - 1, "{what}");
    let query = views(7, 1);
    let wanted = found(&reader, query.row(0), 9, Nominate::Scan);
    assert_eq!(found(&reader, query.row(0), 9, THOROUGH), wanted, "{what}");
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
