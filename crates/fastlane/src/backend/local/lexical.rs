//! The lexical index, one directory for each generation.
//!
//! tantivy keeps one commit and removes earlier ones; a collection needs the lexical index of the
//! same generation as its views. So each generation has its own directory, which starts as hard
//! links to the files of the previous one: these are never changed, only replaced.
//!
//! A directory is named `words-GENERATION-RANDOM`. The random part makes the name unique, so no
//! writer can remove or fill the directory of another one between two of its steps.

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::io;
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fastlane_corpus::{LexicalSettings, LexicalWriter};
use fastlane_durable::{FileEntry, sync_directory};

use crate::error::CollectionError;

/// The prefix of the directory names, before the generation.
const PREFIX: &str = "words-";
/// The digits of the random part.
const RANDOM: usize = 8;
/// Indexing threads: few, because encoding takes far longer.
const THREADS: NonZero<usize> = NonZero::<usize>::MIN;

/// A draft of the next lexical index; removed on drop, unless it is kept.
pub(crate) struct Draft {
    path: PathBuf,
    name: String,
    /// `None` once it is finished, or dropped.
    writer: Option<LexicalWriter>,
    /// Files linked from the previous generation, with their checksums.
    linked: Vec<FileEntry>,
    kept: bool,
}

impl Draft {
    /// Starts from a generation, or empty.
    pub(crate) fn begin(
        directory: &Path,
        generation: u64,
        before: Option<(&str, &[FileEntry])>,
    ) -> Result<Self, CollectionError> {
        let failed = |source| CollectionError::Write { path: directory.to_owned(), source };
        let (name, path) = make_unique(directory, generation).map_err(failed)?;
        let linked = before.map_or_else(Vec::new, |(_, files)| files.to_vec());
        // from here on an error removes the directory
        let mut draft = Self { path, name, writer: None, linked, kept: false };
        draft.writer = Some(match before {
            Some((name, _)) => {
                link_all(&directory.join(name), &draft.path)
                    .map_err(|error| draft.failed(error))?;
                LexicalWriter::open(&draft.path, THREADS)?
            }
            None => LexicalWriter::create(&draft.path, LexicalSettings::default(), THREADS)?,
        });
        Ok(draft)
    }

    pub(crate) fn writer(&mut self) -> &mut LexicalWriter {
        self.writer.as_mut().expect("only its end takes the writer")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Commits and syncs; returns the files.
    pub(crate) fn finish(&mut self) -> Result<Vec<FileEntry>, CollectionError> {
        let writer = self.writer.take().expect("it ends once");
        writer.finish()?;
        open_to_all(&self.path).map_err(|error| self.failed(error))?;
        let files = self.sum().map_err(|error| self.failed(error))?;
        self.sync().map_err(|error| self.failed(error))?;
        Ok(files)
    }

    /// Keeps the directory, for the commit that names it.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }

    /// The checksums of all files; those of linked, unchanged files are reused.
    fn sum(&self) -> io::Result<Vec<FileEntry>> {
        let known = |name: &String| self.linked.iter().find(|file| file.name == *name);
        // tantivy replaces these two at each commit, and writes all others once
        let changes = |name: &str| matches!(name, "meta.json" | ".managed.json");
        let entry = |name: String| match known(&name).filter(|_| !changes(&name)) {
            Some(file) => Ok(file.clone()),
            None => FileEntry::of(&self.path, &name),
        };
        names(&self.path)?.into_iter().map(entry).collect()
    }

    fn sync(&self) -> io::Result<()> {
        for name in names(&self.path)? {
            fs::File::open(self.path.join(name))?.sync_all()?;
        }
        sync_directory(&self.path)?;
        self.path.parent().map_or(Ok(()), sync_directory)
    }

    fn failed(&self, source: io::Error) -> CollectionError {
        CollectionError::Write { path: self.path.clone(), source }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // tantivy's threads write until the writer is gone
        self.writer = None;
        if !self.kept {
            // files that cannot be removed now are removed with the next commit
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The generation in the name of a lexical directory; `None` for other names.
///
/// Names of format 1 have no random part.
pub(crate) fn generation_of(name: &str) -> Option<u64> {
    let rest = name.strip_prefix(PREFIX)?;
    let (digits, random) = rest.split_once('-').map_or((rest, None), |(a, b)| (a, Some(b)));
    let hex = |text: &str| {
        text.len() == RANDOM && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let ours = digits.len() >= 6
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && random.is_none_or(hex);
    ours.then(|| digits.parse().ok()).flatten()
}

/// The lexical directories of a collection.
pub(crate) fn all(directory: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if generation_of(&name).is_some() && is_of_words(&name, &entry.path())? {
            found.push(name);
        }
    }
    Ok(found)
}

/// Whether a directory is ours: by the random part of its name, or, in format 1, by its content.
fn is_of_words(name: &str, path: &Path) -> io::Result<bool> {
    if !path.is_dir() {
        return Ok(false);
    }
    let unique = name.matches('-').count() == 2;
    Ok(unique || path.join("meta.json").is_file() || fs::read_dir(path)?.next().is_none())
}

/// Removes the directories of other generations, as far as the system allows it.
///
/// The caller holds the lock of the collection, so no other writer has a draft.
pub(crate) fn remove_others(directory: &Path, kept: &str) {
    for name in all(directory).unwrap_or_default() {
        if name != kept {
            // readers have the files open; the names may be removed
            let _ = fs::remove_dir_all(directory.join(name));
        }
    }
}

/// The names of all files, without locks, in order.
pub(crate) fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // locks are not linked: each belongs to one directory
        if !name.ends_with(".lock") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Files with verified checksums; they do not change while this program runs.
#[derive(Default)]
pub(crate) struct Compared(Mutex<HashSet<FileEntry>>);

impl Compared {
    /// Verifies the checksums of lexical files that are not verified yet.
    ///
    /// A writer copies and merges files and computes new checksums, so damage would get a valid
    /// checksum.
    pub(crate) fn check(&self, path: &Path, files: &[FileEntry]) -> Result<(), CollectionError> {
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // those of removed generations
        compared.retain(|file| files.contains(file));
        for file in files {
            if compared.contains(file) {
                continue;
            }
            let at = || path.join(&file.name);
            match file.check(path, &mut |_| true) {
                Err(source) => return Err(CollectionError::Read { path: at(), source }),
                Ok(Some(what)) => {
                    return Err(CollectionError::Damaged { path: at(), what: what.to_string() });
                }
                Ok(None) => compared.insert(file.clone()),
            };
        }
        Ok(())
    }
}

/// Creates a directory with a unique name.
fn make_unique(directory: &Path, generation: u64) -> io::Result<(String, PathBuf)> {
    loop {
        let random = random()?;
        let name = format!("{PREFIX}{generation:06}-{random:08x}");
        let path = directory.join(&name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| (name, path)),
        }
    }
}

fn random() -> io::Result<u32> {
    getrandom::u32().map_err(io::Error::other)
}

/// Links all files of a directory into another directory.
fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    for name in names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        // without hard links, files are copied
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ()))?;
    }
    Ok(())
}

/// Gives all files the permissions of their directory, less the right to execute.
///
/// tantivy creates two of its files readable by the owner only, but an index must be readable by
/// all who may read its directory.
fn open_to_all(path: &Path) -> io::Result<()> {
    let mode = path.metadata()?.permissions().mode() & 0o666;
    for name in names(path)? {
        let file = path.join(name);
        if file.metadata()?.permissions().mode() & 0o777 != mode {
            fs::set_permissions(&file, Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_told_apart() {
        assert_eq!(generation_of("words-000012"), Some(12));
        assert_eq!(generation_of("words-1000000-0123abcd"), Some(1_000_000));
        for name in [
            "words-of-wisdom",
            "words-backup",
            "words-12",
            "words-000012-",
            "words-000012-backup",
            "words-000012-0123ABCD",
            "words-000012-0123abcd.old",
            "words-00001x",
            "",
        ] {
            assert_eq!(generation_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_directory_of_the_right_name_must_hold_words() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("words-000003");
        fs::create_dir(&mine).unwrap();
        fastlane_durable::replace(&mine.join("thesis.txt"), b"mine").unwrap();
        fs::create_dir(folder.path().join("words-000004-0123abcd")).unwrap();
        remove_others(folder.path(), "words-000005-0123abcd");
        assert_eq!(names(folder.path()).unwrap(), ["words-000003"]);
    }
}
