//! Removes a collection that was created but never filled, and only such a collection.

use std::fs;
use std::io;
use std::path::Path;

use fastlane_engine::{OpenIndexError, Writer, WriterSettings};

use super::VIEWS;
use super::snapshot::LocalSnapshot;
use crate::collection::Collection;
use crate::error::CollectionError;

/// The commit of a collection that was created and never changed.
const FIRST: u64 = 1;
/// The file that marks an index.
const CURRENT: &str = "CURRENT";
/// The lock file of a writer.
const LOCK: &str = "lock";

impl Collection {
    /// Removes a collection that is unchanged since [`create`](crate::CollectionOptions::create), but not its
    /// directory; returns whether it did.
    ///
    /// A collection that others have filled, are writing, or keep files in is not removed. All
    /// files are removed under the lock of the writer, and directories only once they are empty, so
    /// files of another process are never removed.
    ///
    /// # Errors
    ///
    /// There is no collection, or a file cannot be removed.
    pub fn remove_if_empty(directory: &Path) -> Result<bool, CollectionError> {
        let views = directory.join(VIEWS);
        let lock = match Writer::open_existing(&views, WriterSettings::default()) {
            Ok(writer) => writer,
            Err(OpenIndexError::Locked { .. } | OpenIndexError::Foreign { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let snapshot = LocalSnapshot::open(directory)?;
        let LocalSnapshot { reader, metadata, .. } = &snapshot;
        let untouched = reader.generation() == FIRST
            && reader.statistics().documents == 0
            && metadata.tags.is_empty();
        let words = metadata.words.clone();
        drop(snapshot);
        let failed = |source| CollectionError::Write { path: directory.to_owned(), source };
        if !untouched || !holds_only(directory, &[VIEWS, &words]).map_err(failed)? {
            return Ok(false);
        }
        let remove = || -> io::Result<()> {
            // from here on, other processes do not find an index here
            fs::remove_file(views.join(CURRENT))?;
            remove_files(&views, Some(LOCK))?;
            remove_files(&directory.join(&words), None)?;
            fs::remove_dir(directory.join(&words))?;
            fs::remove_file(views.join(LOCK))
        };
        remove().map_err(failed)?;
        drop(lock);
        // another process may have created an index here meanwhile: then it is not empty
        let _ = fs::remove_dir(&views);
        Ok(true)
    }
}

/// Whether a directory has only these entries, apart from hidden ones.
fn holds_only(directory: &Path, names: &[&str]) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !names.contains(&name.as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the files of a directory but one.
fn remove_files(directory: &Path, kept: Option<&str>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if kept.is_none_or(|kept| entry.file_name() != kept) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use fastlane_corpus::Document;
    use fastlane_model::{Model, Settings};

    use super::*;

    const ROUNDS: usize = 30;

    fn model() -> Arc<Model> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden");
        Model::open(golden.join("lanes-split"), &Settings::default()).unwrap().into()
    }

    fn note() -> Document {
        Document { id: "a".to_owned(), text: "light".to_owned(), ..Document::default() }
    }

    #[test]
    fn defect_u1_a_collection_that_another_writer_fills_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notes");
        let collection = Collection::options().encoder(model()).create(&place).unwrap();
        let other = Collection::options().encoder(model()).open(&place).unwrap();
        let mut writer = other.writer().unwrap();
        writer.add([note()]).unwrap();
        assert!(!Collection::remove_if_empty(&place).unwrap(), "another has the lock");
        writer.commit().unwrap();
        drop(writer);
        assert!(!Collection::remove_if_empty(&place).unwrap(), "it has a document");
        collection.refresh().unwrap();
        assert_eq!(collection.ids(), ["a"]);

        // emptied by its owner: that is a commit, too
        let mut writer = collection.writer().unwrap();
        writer.delete("a").unwrap();
        writer.commit().unwrap();
        drop(writer);
        assert!(!Collection::remove_if_empty(&place).unwrap());
        assert!(Collection::options().encoder(model()).open(&place).is_ok());
    }

    #[test]
    fn defect_u1_only_files_of_the_collection_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notes");
        Collection::options().encoder(model()).create(&place).unwrap();
        fs::create_dir(place.join("journal")).unwrap();
        assert!(!Collection::remove_if_empty(&place).unwrap(), "a service keeps changes there");
        assert!(Collection::options().without_encoder().open(&place).is_ok());
        fs::remove_dir(place.join("journal")).unwrap();
        assert!(Collection::remove_if_empty(&place).unwrap());
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
        assert!(Collection::remove_if_empty(&place).is_err());
    }

    #[test]
    fn defect_u1_writers_that_race_with_removals_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (model, round) = (model(), AtomicUsize::new(0));
        let place = |round: usize| folder.path().join(format!("notes-{round}"));
        let fill = |place: &Path| {
            let collection = match Collection::options().encoder(Arc::clone(&model)).open(place) {
                Ok(collection) => collection,
                Err(_) => Collection::options().encoder(Arc::clone(&model)).create(place)?,
            };
            let mut writer = collection.writer()?;
            writer.add([note()])?;
            writer.commit()
        };
        let filled: Vec<usize> = std::thread::scope(|scope| {
            scope.spawn(|| {
                while round.load(Ordering::Relaxed) < ROUNDS {
                    // errors are those of a collection that is not there yet
                    let _ = Collection::remove_if_empty(&place(round.load(Ordering::Relaxed)));
                }
            });
            let filled = (0..ROUNDS).filter(|&one| {
                // a refused writer tries again, as a user does
                let filled = (0..50).any(|_| fill(&place(one)).is_ok());
                round.store(one + 1, Ordering::Relaxed);
                filled
            });
            filled.collect()
        });
        assert!(!filled.is_empty(), "no writer was ever faster than a removal");
        for one in filled {
            let kept = Collection::options().encoder(Arc::clone(&model)).open(place(one)).unwrap();
            assert_eq!(kept.ids(), ["a"], "what was committed is there");
        }
    }
}
