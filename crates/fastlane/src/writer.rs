//! Changes to a collection: views, text, metadata and words, all or nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use fastlane_corpus::{Document, LexicalWriter};
use fastlane_durable::FileEntry;
use fastlane_engine::{DocumentViews, Encoder as _, WriteIndexError, Writer};
use fastlane_model::Model;
use serde::Serialize;

use crate::about::{ABOUT, About};
use crate::collection::Collection;
use crate::error::CollectionError;
use crate::snapshot::Snapshot;
use crate::update::Update;
use crate::words::{self, Draft};

/// Changes a collection; nothing holds, or is seen by others, before [`commit`](Self::commit).
pub struct CollectionWriter<'a> {
    collection: &'a Collection,
    /// Dropped before `views`, which holds the lock: fields drop in this order.
    draft: Option<Draft>,
    views: Writer,
    tags: BTreeMap<String, String>,
    /// Whether an error left views and words with different documents.
    ended: bool,
}

/// What became of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Documents that were not there before.
    pub added: u64,
    /// Documents that took the place of others with their ids.
    pub replaced: u64,
    /// Documents that are there as they are.
    pub unchanged: u64,
    /// Documents that went.
    pub deleted: u64,
}

/// Told how many documents are done; gives up when it answers false.
pub type Watch<'a> = &'a mut dyn FnMut(u64) -> bool;

impl<'a> CollectionWriter<'a> {
    pub(crate) fn new(collection: &'a Collection, views: Writer) -> Self {
        Self { collection, draft: None, views, tags: BTreeMap::new(), ended: false }
    }

    /// Writes the first commit of a collection, which is empty.
    pub(crate) fn first(
        directory: &Path,
        model: &Model,
        mut views: Writer,
    ) -> Result<(), CollectionError> {
        let mut draft = Draft::begin(directory, 1, None)?;
        let files = Some(draft.finish()?);
        let (model, words) = (absolute(model.directory()), draft.name().to_owned());
        let about = About { model, words, files, tags: BTreeMap::new() };
        views.attach(ABOUT, Some(&about.to_bytes()))?;
        views.commit()?;
        draft.keep();
        Ok(())
    }

    /// Adds documents, or replaces those with their ids, as they come and with bounded memory.
    ///
    /// # Errors
    ///
    /// A document cannot be encoded or kept, or `watch` gave up; what came before it is kept for
    /// the commit.
    pub fn add(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
        watch: Watch<'_>,
    ) -> Result<Changes, CollectionError> {
        let model = self.model()?;
        let (give, take) = channel();
        let texts = documents.into_iter().map(move |document| {
            let text = document.full_text().into_owned();
            // refused only when nobody encodes any more
            let _ = give.send(document);
            text
        });
        let mut changes = Changes::default();
        for views in model.encode_documents(Box::new(texts)) {
            let document = take.recv().expect("each text comes after its document");
            let id = document.id.clone();
            let views = views.map_err(|source| CollectionError::Encode { id, source })?;
            match self.add_views(&document, &views)? {
                true => changes.replaced += 1,
                false => changes.added += 1,
            }
            if !watch(changes.added + changes.replaced) {
                return Err(CollectionError::Stopped);
            }
        }
        Ok(changes)
    }

    /// Adds a document whose views are known; tells whether it replaced one.
    ///
    /// # Errors
    ///
    /// The id or a view cannot be kept, or the system refuses.
    pub fn add_views(
        &mut self,
        document: &Document,
        views: &DocumentViews,
    ) -> Result<bool, CollectionError> {
        self.check_ended()?;
        if document.id.is_empty() {
            return Err(CollectionError::EmptyId);
        }
        // before anything changes: a document is in views and words, or in neither
        LexicalWriter::check_id(&document.id)?;
        self.draft()?;
        let before = self.views.documents();
        let (searched, tokens) = views.searched();
        self.views.add(&document.id, searched, tokens)?;
        let replaced = self.draft()?.writer().replace(document);
        self.ended |= replaced.is_err();
        replaced?;
        Ok(self.views.documents() == before)
    }

    /// Deletes a document; tells whether it was there.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn delete(&mut self, id: &str) -> Result<bool, CollectionError> {
        self.check_ended()?;
        let deleted = self.views.delete(id)?;
        if deleted {
            let draft = self.draft().map(|draft| draft.writer().delete(id));
            self.ended |= draft.is_err();
            draft?;
        }
        Ok(deleted)
    }

    /// Makes the collection hold just these documents: adds what is new, replaces what differs,
    /// deletes what is gone, and leaves alone what is there as it is. Of several with one id the last
    /// holds, and they are counted as one document.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn update(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
        watch: Watch<'_>,
    ) -> Result<Changes, CollectionError> {
        self.update_keeping(documents, &mut |_| false, watch)
    }

    /// The same, but keeps documents that did not come and whose ids `keep` wants: those whose files
    /// cannot be read now. It is asked after all documents have come.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn update_keeping(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
        keep: &mut dyn FnMut(&str) -> bool,
        watch: Watch<'_>,
    ) -> Result<Changes, CollectionError> {
        let snapshot = self.collection.snapshot();
        let unchanged_before = self.draft.is_none();
        let update = Mutex::new(Update::of(&snapshot));
        let differs = |document: &Document| {
            update.lock().expect("no thread panics while it holds it").differs(document)
        };
        let written = self.add(documents.into_iter().filter(differs), watch)?;
        let update = update.into_inner().expect("no thread panicked while it held it");
        let mut changes = update.count(written);
        for id in snapshot.reader.ids().filter(|id| !update.has(id) && !keep(id)) {
            changes.deleted += u64::from(self.delete(id)?);
        }
        let Changes { added, replaced, deleted, .. } = changes;
        if unchanged_before && added + replaced + deleted == 0 {
            // what was written came back to what held
            self.draft = None;
            self.views.roll_back()?;
        }
        Ok(changes)
    }

    /// Leaves a value under a name, which the commit keeps with its changes, such as how far a
    /// queue was worked off: see [`Collection::tag`].
    pub fn tag(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.tags.insert(name.into(), value.into());
    }

    /// Makes all changes hold, all or nothing, and moves the collection to them.
    ///
    /// Without changes, nothing is written.
    ///
    /// # Errors
    ///
    /// The system refuses: what held before holds still.
    pub fn commit(self) -> Result<u64, CollectionError> {
        self.commit_watched(&mut |_| true)
    }

    /// Commits; `watch` receives how many views were sorted into lists since the last call, and
    /// returns whether to go on.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit), and `watch` asked to stop.
    pub fn commit_watched(mut self, watch: Watch<'_>) -> Result<u64, CollectionError> {
        self.end(Writer::commit_watched, watch)
    }

    /// Commits all documents again without the deleted ones, in as few segments as can be.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn compact(self) -> Result<u64, CollectionError> {
        self.compact_watched(&mut |_| true)
    }

    /// Compacts under a watch, as [`commit_watched`](Self::commit_watched) does.
    ///
    /// # Errors
    ///
    /// As [`commit_watched`](Self::commit_watched).
    pub fn compact_watched(mut self, watch: Watch<'_>) -> Result<u64, CollectionError> {
        let snapshot = self.collection.snapshot();
        self.compared_files(&snapshot)?;
        self.end(Writer::compact_watched, watch)
    }

    fn end(&mut self, end: End, watch: Watch<'_>) -> Result<u64, CollectionError> {
        self.check_ended()?;
        if !watch(0) {
            return Err(CollectionError::Stopped);
        }
        let snapshot = self.collection.snapshot();
        let mut draft = self.draft.take();
        let (words, files) = match &mut draft {
            Some(draft) => (draft.name().to_owned(), draft.finish()?),
            None => (snapshot.about.words.clone(), self.files(&snapshot)?),
        };
        let about = self.about(&snapshot, words, files);
        if about != snapshot.about {
            self.views.attach(ABOUT, Some(&about.to_bytes()))?;
        }
        if let Some(model) = &self.collection.model
            && self.collection.has_earlier_fingerprint()
        {
            self.views.set_model(&model.fingerprint().to_string())?;
        }
        let committed = watched(&mut self.views, end, watch);
        // an error may come after the step that makes the commit hold
        let holds = || {
            let held = Snapshot::open(&self.collection.directory);
            held.map_or(true, |held| held.about.words == about.words)
        };
        if let Some(draft) = draft.filter(|_| committed.is_ok() || holds()) {
            draft.keep();
        }
        let generation = committed?;
        self.collection.refresh()?;
        words::remove_others(&self.collection.directory, &about.words);
        Ok(generation)
    }

    /// What the next commit says about the collection.
    fn about(&mut self, snapshot: &Snapshot, words: String, files: Vec<FileEntry>) -> About {
        let model = self.collection.model.as_ref();
        let model = model.map_or(snapshot.about.model.clone(), |it| absolute(it.directory()));
        let mut tags = snapshot.about.tags.clone();
        tags.append(&mut self.tags);
        About { model, words, files: Some(files), tags }
    }

    /// The words of the next generation; made when the first of them changes.
    fn draft(&mut self) -> Result<&mut Draft, CollectionError> {
        if self.draft.is_none() {
            let snapshot = self.collection.snapshot();
            let files = self.compared_files(&snapshot)?;
            let (directory, generation) = (&self.collection.directory, self.views.generation() + 1);
            let before = Some((snapshot.about.words.as_str(), &*files));
            self.draft = Some(Draft::begin(directory, generation, before)?);
        }
        Ok(self.draft.as_mut().expect("it was made above"))
    }

    /// The files of the words that hold, after a comparison of their checksums.
    fn compared_files(&self, snapshot: &Snapshot) -> Result<Vec<FileEntry>, CollectionError> {
        let files = self.files(snapshot)?;
        self.collection.compared.check(&snapshot.path(), &files)?;
        Ok(files)
    }

    /// The files of the words that hold; those of format 1 are summed now.
    fn files(&self, snapshot: &Snapshot) -> Result<Vec<FileEntry>, CollectionError> {
        if let Some(files) = &snapshot.about.files {
            return Ok(files.clone());
        }
        let path = snapshot.path();
        let entry = |name: String| FileEntry::of(&path, &name);
        let files = words::names(&path).and_then(|names| names.into_iter().map(entry).collect());
        files.map_err(|source| CollectionError::Read { path: path.clone(), source })
    }

    fn check_ended(&self) -> Result<(), CollectionError> {
        match self.ended {
            true => Err(CollectionError::Ended { path: self.collection.directory.clone() }),
            false => Ok(()),
        }
    }

    fn model(&self) -> Result<Arc<Model>, CollectionError> {
        let path = self.collection.directory.clone();
        self.collection.model.clone().ok_or(CollectionError::NoModel { path })
    }
}

/// How the index of views commits.
type End = fn(&mut Writer, &mut dyn FnMut(u64) -> io::Result<()>) -> Result<u64, WriteIndexError>;

/// Ends the work of a writer under a watch.
fn watched(views: &mut Writer, end: End, watch: Watch<'_>) -> Result<u64, CollectionError> {
    let mut stopped = false;
    let ended = end(views, &mut |views| {
        stopped = stopped || !watch(views);
        if stopped { Err(io::Error::other("stopped")) } else { Ok(()) }
    });
    match ended {
        // the writer's own error would say that it cannot write
        Err(_) if stopped => Err(CollectionError::Stopped),
        ended => Ok(ended?),
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
