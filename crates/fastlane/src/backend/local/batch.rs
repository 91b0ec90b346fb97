//! Changes to a directory: views and the lexical index in one commit.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane_corpus::LexicalWriter;
use fastlane_durable::FileEntry;
use fastlane_engine::{DocumentViews, WriteIndexError, Writer};

use super::Local;
use super::lexical::{self, Draft};
use super::metadata::{ABOUT, CollectionMetadata};
use super::snapshot::LocalSnapshot;
use crate::backend::{Backend as _, Batch, Change, Commit, Stamp};
use crate::error::CollectionError;
use crate::record::Record;

pub(super) struct LocalBatch {
    local: Arc<Local>,
    /// Dropped before `views`, which holds the lock: fields drop in this order.
    draft: Option<Draft>,
    views: Writer,
    tags: BTreeMap<String, String>,
    /// Whether an error left views and the lexical index with different documents.
    ended: bool,
}

/// Writes the first commit of a collection, which is empty.
pub(super) fn first(
    directory: &Path,
    location: Option<PathBuf>,
    mut views: Writer,
) -> Result<(), CollectionError> {
    let mut draft = Draft::begin(directory, 1, None)?;
    let files = Some(draft.finish()?);
    let words = draft.name().to_owned();
    let model = location.map(|path| absolute(&path)).unwrap_or_default();
    let metadata = CollectionMetadata { model, words, files, tags: BTreeMap::new() };
    views.attach(ABOUT, Some(&metadata.to_bytes()?))?;
    views.commit()?;
    draft.keep();
    Ok(())
}

impl LocalBatch {
    pub(super) fn new(local: Arc<Local>, views: Writer) -> Self {
        Self { local, draft: None, views, tags: BTreeMap::new(), ended: false }
    }

    /// The draft of the next lexical index; created at the first change.
    fn draft(&mut self) -> Result<&mut Draft, CollectionError> {
        let draft = match self.draft.take() {
            Some(draft) => draft,
            None => {
                let snapshot = self.local.current();
                let files = self.compared_files(&snapshot)?;
                let (directory, generation) = (&self.local.directory, self.views.generation() + 1);
                Draft::begin(directory, generation, Some((&snapshot.metadata.words, &files)))?
            }
        };
        Ok(self.draft.insert(draft))
    }

    /// The files of the current lexical index, after their checksums are verified.
    fn compared_files(&self, snapshot: &LocalSnapshot) -> Result<Vec<FileEntry>, CollectionError> {
        let files = files(snapshot)?;
        self.local.compared.check(&snapshot.path(), &files)?;
        Ok(files)
    }

    /// The collection metadata of the next commit.
    fn metadata(
        &self,
        snapshot: &LocalSnapshot,
        stamp: &Stamp,
        words: String,
    ) -> CollectionMetadata {
        let model = stamp.location.as_deref().map(absolute);
        let model = model.unwrap_or_else(|| snapshot.metadata.model.clone());
        let mut tags = snapshot.metadata.tags.clone();
        tags.extend(self.tags.clone());
        CollectionMetadata { model, words, files: None, tags }
    }

    fn check_ended(&self) -> Result<(), CollectionError> {
        match self.ended {
            true => Err(CollectionError::Ended { path: self.local.directory.clone() }),
            false => Ok(()),
        }
    }
}

impl Batch for LocalBatch {
    fn add(&mut self, record: &Record, views: &DocumentViews) -> Result<Change, CollectionError> {
        self.check_ended()?;
        let Record { document, note } = record;
        // checked before any change, so that a document is in both indexes or in neither
        LexicalWriter::check_id(&document.id)?;
        self.draft()?;
        let before = self.views.documents();
        let (searched, tokens) = views.searched();
        self.views.add(&document.id, searched, tokens)?;
        let replaced = self.draft()?.writer().replace_with(document, note.as_deref());
        self.ended |= replaced.is_err();
        replaced?;
        let added = self.views.documents() > before;
        Ok(if added { Change::Added } else { Change::Replaced })
    }

    fn delete(&mut self, key: &str) -> Result<bool, CollectionError> {
        self.check_ended()?;
        let deleted = self.views.delete(key)?;
        if deleted {
            let draft = self.draft().map(|draft| draft.writer().delete(key));
            self.ended |= draft.is_err();
            draft?;
        }
        Ok(deleted)
    }

    fn tag(&mut self, name: String, value: String) {
        self.tags.insert(name, value);
    }

    fn is_unchanged(&self) -> bool {
        self.draft.is_none()
    }

    fn roll_back(&mut self) -> Result<(), CollectionError> {
        self.draft = None;
        Ok(self.views.roll_back()?)
    }

    fn commit(
        &mut self,
        stamp: &Stamp,
        how: Commit,
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, CollectionError> {
        self.check_ended()?;
        let snapshot = self.local.current();
        if how == Commit::Compact {
            self.compared_files(&snapshot)?;
        }
        let mut draft = self.draft.take();
        // until the commit succeeds: on failure the draft is removed, and the views stay
        self.ended = true;
        let (words, files) = match &mut draft {
            Some(draft) => (draft.name().to_owned(), draft.finish()?),
            None => (snapshot.metadata.words.clone(), files(&snapshot)?),
        };
        let metadata =
            CollectionMetadata { files: Some(files), ..self.metadata(&snapshot, stamp, words) };
        if metadata != snapshot.metadata {
            self.views.attach(ABOUT, Some(&metadata.to_bytes()?))?;
        }
        if let Some(fingerprint) = &stamp.fingerprint {
            self.views.set_model(fingerprint)?;
        }
        let committed = watched(&mut self.views, how, watch);
        // an error may come after the step that makes the commit current
        let holds = || {
            let held = LocalSnapshot::open(&self.local.directory);
            held.map_or(true, |held| held.metadata.words == metadata.words)
        };
        if let Some(draft) = draft.filter(|_| committed.is_ok() || holds()) {
            draft.keep();
        }
        let generation = committed?;
        self.local.refresh()?;
        self.tags.clear();
        self.ended = false;
        lexical::remove_others(&self.local.directory, &metadata.words);
        Ok(generation)
    }
}

/// The files of the current lexical index; for format 1, checksums are computed now.
fn files(snapshot: &LocalSnapshot) -> Result<Vec<FileEntry>, CollectionError> {
    if let Some(files) = &snapshot.metadata.files {
        return Ok(files.clone());
    }
    let path = snapshot.path();
    let entry = |name: String| FileEntry::of(&path, &name);
    let files = lexical::names(&path).and_then(|names| names.into_iter().map(entry).collect());
    files.map_err(|source| CollectionError::Read { path: path.clone(), source })
}

/// Commits views with a progress callback.
fn watched(
    views: &mut Writer,
    how: Commit,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<u64, CollectionError> {
    let mut stopped = false;
    let mut step = |count| {
        stopped = stopped || !watch(count);
        if stopped { Err(io::Error::other("stopped")) } else { Ok(()) }
    };
    let ended: Result<u64, WriteIndexError> = match how {
        Commit::Append => views.commit_watched(&mut step),
        Commit::Compact => views.compact_watched(&mut step),
    };
    match ended {
        // the error of the writer would say that it cannot write
        Err(_) if stopped => Err(CollectionError::Stopped),
        ended => Ok(ended?),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
