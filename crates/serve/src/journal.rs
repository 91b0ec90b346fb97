//! Changes that were accepted, on disk until they are in the collection.
//!
//! Each is a file called by its number, written aside, synced and renamed before the client is told
//! that it is accepted, and removed after the commit that holds it. So a service that is killed
//! finds all of them again. Of a change that cannot be made, a file says why not.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fastlane::Document;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::metadata::SentMetadata;

/// A directory within the collection's.
const NAME: &str = "journal";
const CHANGE: &str = "json";
const FAILURE: &str = "failed";
const ASIDE: &str = "aside";
const LOCK: &str = "lock";
/// Failures that are told after a restart.
pub(crate) const REMEMBERED: usize = 1000;

/// A change of some documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Adds them, or puts them in the place of those with their ids.
    Put(Vec<SentDocument>),
    /// Deletes them.
    Delete(Vec<String>),
}

/// A document as clients send it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentDocument {
    /// What it is called, once and for all.
    #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    pub(crate) id: String,
    /// Its title, if it has one.
    #[serde(default)]
    pub(crate) title: String,
    /// Its text.
    pub(crate) text: String,
    /// Whatever else is known of it; filters read it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) metadata: SentMetadata,
}

impl SentDocument {
    /// Reads its metadata.
    pub(crate) fn document(self) -> Result<Document, serde_json::Error> {
        let Self { id, title, text, metadata } = self;
        Ok(Document { id, title, text, metadata: metadata.read()? })
    }
}

/// The files of changes, and the right to number them.
pub(crate) struct Journal {
    directory: PathBuf,
    /// Makes names that were given in a directory last.
    sync: fn(&Path) -> io::Result<()>,
    /// Two services would give one number twice.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a collection, if no other service has it: `WouldBlock` says so.
    pub(crate) fn open(collection: &Path) -> io::Result<Self> {
        let directory = collection.join(NAME);
        fs::create_dir_all(&directory)?;
        let lock =
            File::options().write(true).create(true).truncate(false).open(directory.join(LOCK))?;
        lock.try_lock()?;
        let journal = Self { directory, sync: sync_directory, _lock: lock };
        // what a crash left of attempts
        for number in journal.all(ASIDE)? {
            fs::remove_file(journal.path(number, ASIDE))?;
        }
        Ok(journal)
    }

    fn path(&self, number: u64, ending: &str) -> PathBuf {
        self.directory.join(format!("{number:012}.{ending}"))
    }

    /// The numbers of all changes, rising.
    pub(crate) fn numbers(&self) -> io::Result<Vec<u64>> {
        self.all(CHANGE)
    }

    /// Why changes could not be made; the oldest are forgotten.
    pub(crate) fn failures(&self) -> io::Result<Vec<(u64, String)>> {
        let all = self.all(FAILURE)?;
        let (old, kept) = all.split_at(all.len().saturating_sub(REMEMBERED));
        old.iter().try_for_each(|&number| fs::remove_file(self.path(number, FAILURE)))?;
        let read = |number| Ok((number, fs::read_to_string(self.path(number, FAILURE))?));
        kept.iter().map(|&number| read(number)).collect()
    }

    fn all(&self, wanted: &str) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let ours = path.extension().is_some_and(|ending| ending == wanted);
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            numbers.extend(number.filter(|_: &u64| ours));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Keeps a change, whatever happens next.
    pub(crate) fn keep(&self, number: u64, change: &Change) -> io::Result<()> {
        self.write(&self.path(number, CHANGE), &serde_json::to_vec(change)?)
    }

    /// Keeps why a change cannot be made, in its place.
    pub(crate) fn fail(&self, number: u64, why: &str) -> io::Result<()> {
        self.write(&self.path(number, FAILURE), why.as_bytes())?;
        self.forget(number)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let aside = path.with_extension(ASIDE);
        let kept = write_synced(&aside, bytes).and_then(|()| rename(&aside, path));
        if kept.is_err() {
            // on a full disk it takes what little room there is
            let _ = fs::remove_file(&aside);
        }
        kept?;
        let synced = (self.sync)(&self.directory);
        if synced.is_err() {
            // it may be there after a crash or not: the caller hears that it was not kept
            let _ = fs::remove_file(path);
        }
        synced
    }

    /// Reads a change again.
    pub(crate) fn read(&self, number: u64) -> io::Result<Change> {
        Ok(serde_json::from_slice(&fs::read(self.path(number, CHANGE))?)?)
    }

    /// Forgets a change that is in the collection.
    pub(crate) fn forget(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.path(number, CHANGE))
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[expect(clippy::disallowed_methods, reason = "what takes the name was synced before")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let change = |id: &str| Change::Delete(vec![id.to_owned()]);
        journal.keep(12, &change("b")).unwrap();
        journal.keep(3, &change("a")).unwrap();
        // what a crash left of a third
        fs::File::create_new(folder.path().join("journal/000000000013.aside")).unwrap();
        // another service, or the same index under another name
        let other = Journal::open(folder.path()).err().unwrap();
        assert_eq!(other.kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let journal = Journal::open(folder.path()).unwrap();
        assert!(!folder.path().join("journal/000000000013.aside").exists());
        assert_eq!(journal.numbers().unwrap(), [3, 12]);
        assert_eq!(journal.read(12).unwrap(), change("b"));
        journal.forget(3).unwrap();
        assert_eq!(journal.numbers().unwrap(), [12]);
        journal.fail(12, "too many views").unwrap();
        assert!(journal.numbers().unwrap().is_empty());
        assert_eq!(journal.failures().unwrap(), [(12, "too many views".to_owned())]);
    }

    #[test]
    fn defect_u4_what_was_refused_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let change = Change::Delete(vec!["a".to_owned()]);
        journal.sync = |_| Err(io::Error::other("the disk is gone"));
        assert!(journal.keep(1, &change).is_err());
        assert!(
            journal.numbers().unwrap().is_empty(),
            "the change would be made at the next start"
        );
        journal.sync = sync_directory;
        journal.keep(1, &change).unwrap();
        assert_eq!(journal.numbers().unwrap(), [1]);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let last = REMEMBERED as u64 + 2;
        for number in 1..=last {
            journal.keep(number, &Change::Delete(Vec::new())).unwrap();
            journal.fail(number, "because").unwrap();
        }
        for _ in 0..2 {
            let numbers: Vec<_> = journal.failures().unwrap().iter().map(|it| it.0).collect();
            assert_eq!(numbers, (3..=last).collect::<Vec<_>>());
        }
    }
}
