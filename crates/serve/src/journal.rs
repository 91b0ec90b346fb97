//! The journal of accepted changes, on disk until they are committed.
//!
//! Each change is a file named by its number. It is written to a temporary name, synced and renamed
//! before the client gets the answer, and removed after its commit, so a service that is killed
//! finds all of them again. The reason of a failed change is stored in a file too.
//!
//! A collection in a directory has its journal there, in `journal/`, unless another place is wanted:
//! then `journal/place` names it, so that a service which is started without that setting finds the
//! accepted changes. A journal with changes is never left for another one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fastlane::Document;
use fastlane_durable::{Disk, Lock, Storage, make_directory, replace_in};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::metadata::SentMetadata;

/// The directory of the journal, in that of the collection.
const NAME: &str = "journal";
/// The first bytes of a journal file, before its format.
const MAGIC: &str = "fastlane-change";
const FORMAT: u32 = 1;
const CHANGE: &str = "json";
const FAILURE: &str = "failed";
const ASIDE: &str = "aside";
const LOCK: &str = "lock";
/// The file that names the directory of a journal elsewhere.
const PLACE: &str = "place";
/// Failures that are kept over a restart.
pub(crate) const REMEMBERED: usize = 1000;

/// A change of some documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Adds documents, or replaces them by id.
    Put(Vec<SentDocument>),
    /// Deletes them.
    Delete(Vec<String>),
}

/// A document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentDocument {
    /// The id, unique in the index.
    #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    pub(crate) id: String,
    /// The title, if there is one.
    #[serde(default)]
    pub(crate) title: String,
    /// The text.
    pub(crate) text: String,
    /// Metadata, which filters can use.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) metadata: SentMetadata,
}

impl SentDocument {
    /// Reads its metadata.
    pub(crate) fn document(self) -> Result<Document, serde_json::Error> {
        let Self { id, title, text, metadata } = self;
        let metadata = metadata.read()?;
        Ok(Document { id, title, text, metadata, ..Document::default() })
    }
}

/// The journal files, with the lock that allows to assign numbers.
pub(crate) struct Journal {
    directory: PathBuf,
    storage: Box<dyn Storage>,
    /// Without them, two services could assign the same number.
    _locks: Vec<Lock>,
}

/// Why a journal cannot be used.
#[derive(Debug)]
pub(crate) enum JournalError {
    /// Another service has it.
    Taken,
    /// The changes in another directory would be left.
    Left { directory: PathBuf, count: usize },
    /// The disk failed.
    Io { path: PathBuf, source: io::Error },
}

impl Journal {
    /// Opens the journal of a collection: at a given place, or where it was before.
    pub(crate) fn open(collection: &Path, place: Option<&Path>) -> Result<Self, JournalError> {
        let own = collection.join(NAME);
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| JournalError::Io { path, source }
        };
        let mut locks = vec![lock(&own)?];
        let own = own.canonicalize().map_err(failed(&own))?;
        let before = placed(&own).map_err(failed(&own))?;
        let directory = match place {
            None => before.clone(),
            Some(place) => {
                make_directory(place).map_err(failed(place))?;
                place.canonicalize().map_err(failed(place))?
            }
        };
        if directory != before {
            let left = numbers(&before, CHANGE).map_err(failed(&before))?.len();
            if left > 0 {
                return Err(JournalError::Left { directory: before, count: left });
            }
            let bytes = directory.as_os_str().as_encoded_bytes();
            replace_in(&Disk::new(&own), PLACE, bytes).map_err(failed(&own))?;
        }
        if directory != own {
            locks.push(lock(&directory)?);
        }
        remove_incomplete(&directory).map_err(failed(&directory))?;
        let storage = Box::new(Disk::new(&directory));
        Ok(Self { directory, storage, _locks: locks })
    }

    /// The directory of the journal.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, number: u64, ending: &str) -> PathBuf {
        self.directory.join(name(number, ending))
    }

    /// The numbers of all changes, rising.
    pub(crate) fn numbers(&self) -> io::Result<Vec<u64>> {
        numbers(&self.directory, CHANGE)
    }

    /// Reasons of failed changes; the oldest are dropped.
    pub(crate) fn failures(&self) -> io::Result<Vec<(u64, String)>> {
        let all = numbers(&self.directory, FAILURE)?;
        let (old, kept) = all.split_at(all.len().saturating_sub(REMEMBERED));
        old.iter().try_for_each(|&number| fs::remove_file(self.path(number, FAILURE)))?;
        let read = |number| Ok((number, fs::read_to_string(self.path(number, FAILURE))?));
        kept.iter().map(|&number| read(number)).collect()
    }

    /// Stores a change durably; after an error it is not in the journal.
    pub(crate) fn keep(&self, number: u64, change: &Change) -> io::Result<()> {
        let mut bytes = format!("{MAGIC} {FORMAT}\n").into_bytes();
        serde_json::to_writer(&mut bytes, change)?;
        self.write(&name(number, CHANGE), &bytes)
    }

    /// Replaces a change by the reason of its failure.
    pub(crate) fn fail(&self, number: u64, why: &str) -> io::Result<()> {
        self.write(&name(number, FAILURE), why.as_bytes())?;
        self.forget(number)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let written = replace_in(&*self.storage, name, bytes);
        if written.is_err() {
            // a rename whose sync failed may or may not persist: the caller reports a failure
            let _ = self.storage.remove(name);
        }
        written
    }

    /// Reads a change.
    ///
    /// A format of a later version is `Unsupported`: that version can apply the change.
    pub(crate) fn read(&self, number: u64) -> io::Result<Change> {
        let bytes = fs::read(self.path(number, CHANGE))?;
        Ok(serde_json::from_slice(body(&bytes)?)?)
    }

    /// Removes a committed change.
    pub(crate) fn forget(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.path(number, CHANGE))
    }
}

/// Locks a directory, which is created if necessary.
fn lock(directory: &Path) -> Result<Lock, JournalError> {
    let lock = make_directory(directory).and_then(|()| Lock::take(&directory.join(LOCK)));
    let failed = |source| JournalError::Io { path: directory.to_owned(), source };
    lock.map_err(failed)?.ok_or(JournalError::Taken)
}

/// The directory that `place` names, or else the collection's own.
fn placed(own: &Path) -> io::Result<PathBuf> {
    match fs::read_to_string(own.join(PLACE)) {
        Ok(place) => Ok(place.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(own.to_owned()),
        Err(error) => Err(error),
    }
}

/// Removes files that were being written when a service was killed.
fn remove_incomplete(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ASIDE) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The numbers of all files with an ending, rising.
fn numbers(directory: &Path, wanted: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|ending| ending == wanted);
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        numbers.extend(number.filter(|_: &u64| ours));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn name(number: u64, ending: &str) -> String {
    format!("{number:012}.{ending}")
}

/// What follows the line with the format; files of format 0 have no such line.
fn body(bytes: &[u8]) -> io::Result<&[u8]> {
    let Some(rest) = bytes.strip_prefix(MAGIC.as_bytes()) else { return Ok(bytes) };
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let format = std::str::from_utf8(&rest[..end]).unwrap_or_default().trim();
    match format.parse::<u32>() {
        Ok(FORMAT) => Ok(rest.get(end + 1..).unwrap_or_default()),
        Ok(found) => {
            let what = format!("it has format {found}, this program reads 0 to {FORMAT}");
            Err(io::Error::new(io::ErrorKind::Unsupported, what))
        }
        Err(_) => {
            let what = format!("its format is `{format}`, wanted a number");
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), None).unwrap();
        let change = |id: &str| Change::Delete(vec![id.to_owned()]);
        journal.keep(12, &change("b")).unwrap();
        journal.keep(3, &change("a")).unwrap();
        // an incomplete third file after a crash
        fs::File::create_new(folder.path().join("journal/000000000013.aside")).unwrap();
        // another service, or the same index under another name
        let other = Journal::open(folder.path(), None).err().unwrap();
        assert!(matches!(other, JournalError::Taken));
        drop(journal);
        let journal = Journal::open(folder.path(), None).unwrap();
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
    fn a_journal_elsewhere_is_found_again_and_never_left_with_changes() {
        let [collection, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let elsewhere = other.path().join("journals/notes");
        let open = |place: Option<&Path>| Journal::open(collection.path(), place);
        let change = Change::Delete(vec!["a".to_owned()]);
        open(None).unwrap().keep(1, &change).unwrap();
        let left = open(Some(&elsewhere)).err().unwrap();
        let own = collection.path().join(NAME);
        assert!(matches!(left, JournalError::Left { directory, count: 1 } if directory == own));
        open(None).unwrap().forget(1).unwrap();
        open(Some(&elsewhere)).unwrap().keep(2, &change).unwrap();
        assert!(elsewhere.join("000000000002.json").exists());
        // without the setting it is where it was
        assert_eq!(open(None).unwrap().numbers().unwrap(), [2]);
        let left = open(Some(&own)).err().unwrap();
        assert!(matches!(left, JournalError::Left { count: 1, .. }));
        let journal = open(Some(&elsewhere)).unwrap();
        assert!(matches!(open(None).err().unwrap(), JournalError::Taken));
        // nor may another collection write there
        let third = tempfile::tempdir().unwrap();
        let taken = Journal::open(third.path(), Some(&elsewhere)).err().unwrap();
        assert!(matches!(taken, JournalError::Taken));
        journal.forget(2).unwrap();
        drop(journal);
        assert_eq!(open(Some(&own)).unwrap().directory(), own.canonicalize().unwrap());
    }

    #[test]
    fn a_journal_that_is_gone_is_named() {
        let [collection, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let elsewhere = other.path().join("notes");
        drop(Journal::open(collection.path(), Some(&elsewhere)).unwrap());
        fs::remove_dir_all(&elsewhere).unwrap();
        let error = Journal::open(collection.path(), Some(collection.path())).err().unwrap();
        let gone = elsewhere.parent().unwrap().canonicalize().unwrap().join("notes");
        assert!(matches!(error, JournalError::Io { path, .. } if path == gone));
    }

    /// A disk on which the sync of a directory fails.
    #[derive(Debug)]
    struct Unsynced(Disk);

    impl Storage for Unsynced {
        fn create(&self, name: &str) -> io::Result<Box<dyn fastlane_durable::StorageFile>> {
            self.0.create(name)
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.0.rename(from, to)
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.0.remove(name)
        }

        fn sync(&self) -> io::Result<()> {
            Err(io::Error::other("the disk is gone"))
        }
    }

    #[test]
    fn defect_u4_what_was_refused_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), None).unwrap();
        let change = Change::Delete(vec!["a".to_owned()]);
        let place = folder.path().join(NAME);
        journal.storage = Box::new(Unsynced(Disk::new(&place)));
        journal.keep(1, &change).unwrap_err();
        // it would be applied at the next start
        assert!(journal.numbers().unwrap().is_empty());
        journal.storage = Box::new(Disk::new(&place));
        journal.keep(1, &change).unwrap();
        assert_eq!(journal.numbers().unwrap(), [1]);
    }

    #[test]
    fn changes_of_format_0_are_read_and_later_ones_wait_for_their_program() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), None).unwrap();
        let put = |number: u64, text: &str| {
            fastlane_durable::replace(&journal.path(number, CHANGE), text.as_bytes()).unwrap();
        };
        // as commit bac4ea4 wrote it
        put(1, r#"{"delete":["a"]}"#);
        assert_eq!(journal.read(1).unwrap(), Change::Delete(vec!["a".to_owned()]));
        put(2, "fastlane-change 2\nwhatever");
        let later = journal.read(2).unwrap_err();
        assert_eq!(later.to_string(), "it has format 2, this program reads 0 to 1");
        assert_eq!(later.kind(), io::ErrorKind::Unsupported);
        put(3, "fastlane-change x\n{}");
        assert_eq!(journal.read(3).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path(), None).unwrap();
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
