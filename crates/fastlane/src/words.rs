//! The index of words, one directory for each generation.
//!
//! tantivy keeps one commit and removes what came before; a collection needs the words of the
//! generation that its views are of. So each generation has a directory of its own, which begins
//! as hard links to the files of the one before: these are never changed, only replaced.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use fastlane_corpus::{LexicalSettings, LexicalWriter};

use crate::error::CollectionError;

/// What the directories are called, before the generation.
pub(crate) const PREFIX: &str = "words-";

/// Threads that index words: encoding takes far longer.
const THREADS: NonZero<usize> = NonZero::<usize>::MIN;

/// The words of the next generation, in the making.
pub(crate) struct Draft {
    pub(crate) name: String,
    path: PathBuf,
    /// `None` once it is finished, or dropped.
    writer: Option<LexicalWriter>,
}

impl Draft {
    /// Begins where a generation was, or with nothing.
    pub(crate) fn begin(
        directory: &Path,
        generation: u64,
        before: Option<&str>,
    ) -> Result<Self, CollectionError> {
        let name = format!("{PREFIX}{generation:06}");
        let path = directory.join(&name);
        let prepare = || {
            // what a crash left of an attempt
            if path.exists() {
                fs::remove_dir_all(&path)?;
            }
            fs::create_dir(&path)?;
            before.map_or(Ok(()), |before| link_all(&directory.join(before), &path))
        };
        prepare().map_err(|source| CollectionError::Write { path: path.clone(), source })?;
        let writer = match before {
            Some(_) => LexicalWriter::open(&path, THREADS)?,
            None => LexicalWriter::create(&path, LexicalSettings::default(), THREADS)?,
        };
        Ok(Self { name, path, writer: Some(writer) })
    }

    pub(crate) fn writer(&mut self) -> &mut LexicalWriter {
        self.writer.as_mut().expect("only its end takes the writer")
    }

    /// Commits and syncs; the directory stays.
    pub(crate) fn finish(mut self) -> Result<String, CollectionError> {
        let writer = self.writer.take().expect("it ends once");
        writer.finish()?;
        let sync = || {
            for entry in fs::read_dir(&self.path)? {
                fs::File::open(entry?.path())?.sync_all()?;
            }
            fs::File::open(&self.path)?.sync_all()?;
            self.path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
        };
        sync().map_err(|source| CollectionError::Write { path: self.path.clone(), source })?;
        Ok(std::mem::take(&mut self.name))
    }
}

impl Drop for Draft {
    /// Takes away what was not finished.
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // what cannot go now goes with the next draft, or the next commit
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Gives all files of a directory another name, in another directory.
fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // locks belong to a directory
        if name.to_string_lossy().ends_with(".lock") {
            continue;
        }
        let target = to.join(&name);
        // a file system without links gets copies
        fs::hard_link(entry.path(), &target)
            .or_else(|_| fs::copy(entry.path(), &target).map(|_| ()))?;
    }
    Ok(())
}

/// Removes the directories of other generations, as far as the system lets go of them.
pub(crate) fn remove_others(directory: &Path, kept: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(PREFIX) && name != kept {
            // readers have its files open; their names may go
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
