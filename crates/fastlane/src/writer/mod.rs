//! Atomic changes to a collection: views, text, metadata and lexical index.

mod passages;

use std::collections::HashMap;
use std::error::Error;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use fastlane_corpus::{Document, PassageSettings};
use fastlane_engine::{DocumentViews, WriterSettings};

use crate::backend::{Batch, Change, Commit};
use crate::collection::Collection;
use crate::error::CollectionError;
use crate::record::{Record, SEPARATOR, is_first};
use crate::split::Splitter;
use crate::update::{Changes, Update};

use passages::{Adding, checked_id};

/// Changes a collection; nothing is durable or visible to others before [`commit`](Self::commit).
///
/// It owns its state, so it may move to another thread or be stored in a struct. It can be used
/// after a commit; the lock against other writers is released on drop.
pub struct CollectionWriter {
    /// Dropped first: it holds the lock.
    batch: Box<dyn Batch>,
    collection: Collection,
    /// How documents are split; by default, by what the encoder reads.
    passages: Option<PassageSettings>,
    /// How many passages documents have that were changed since the last commit, if they have, or
    /// had, more than one.
    counts: HashMap<String, usize>,
    progress: Option<Box<dyn FnMut(Progress) -> bool + Send>>,
}

/// How far a writer is: see [`CollectionWriter::on_progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The number of documents of this call that are encoded and written.
    Documents(u64),
    /// The number of views of this commit that are assigned to lists.
    Views(u64),
}

impl std::fmt::Debug for CollectionWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectionWriter")
            .field("collection", &self.collection)
            .field("unchanged", &self.batch.is_unchanged())
            .finish_non_exhaustive()
    }
}

impl Collection {
    /// Begins to change the collection; one writer at a time, in whatever process.
    ///
    /// # Errors
    ///
    /// Another writer is at work, or what is there is damaged.
    pub fn writer(&self) -> Result<CollectionWriter, CollectionError> {
        self.writer_with(WriterSettings::default())
    }

    /// The same, with a say in threads, memory, and which views are left out.
    ///
    /// # Errors
    ///
    /// As [`writer`](Self::writer).
    pub fn writer_with(
        &self,
        settings: WriterSettings,
    ) -> Result<CollectionWriter, CollectionError> {
        let batch = Arc::clone(&self.inner.backend).batch(settings)?;
        Ok(CollectionWriter::new(self.clone(), batch))
    }
}

impl CollectionWriter {
    fn new(collection: Collection, batch: Box<dyn Batch>) -> Self {
        let (passages, counts) = (None, HashMap::new());
        Self { batch, collection, passages, counts, progress: None }
    }

    /// Sets a progress callback for [`add`](Self::add) and [`commit`](Self::commit); if it returns
    /// false, the call ends with [`CollectionError::Stopped`].
    pub fn on_progress(&mut self, progress: impl FnMut(Progress) -> bool + Send + 'static) {
        self.progress = Some(Box::new(progress));
    }

    /// Sets the size of passages, in tokens of the encoder, or in [`words`](fastlane_corpus::words)
    /// for an encoder without a [limit](crate::Encoder::document_limit).
    ///
    /// By default, a document that the encoder can read is one passage, and a longer one is split
    /// into passages of 180 tokens, of which up to 27 repeat. A passage that is longer than the
    /// encoder reads is cut.
    pub fn passages(&mut self, settings: PassageSettings) {
        self.passages = Some(settings);
    }

    fn report(&mut self, progress: Progress) -> Result<(), CollectionError> {
        match self.progress.as_mut().is_none_or(|report| report(progress)) {
            true => Ok(()),
            false => Err(CollectionError::Stopped),
        }
    }

    /// Adds documents, or replaces them by id, as a stream and with bounded memory.
    ///
    /// A document that the encoder cannot read at once is split into passages: at headings, between
    /// paragraphs, or else at sentences.
    ///
    /// # Errors
    ///
    /// A document cannot be encoded or stored, or the work was stopped; earlier documents are kept
    /// for the commit.
    pub fn add(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
    ) -> Result<Changes, CollectionError> {
        let encoder = Arc::clone(self.collection.required_encoder()?);
        let splitter = Splitter::new(&*encoder, self.passages);
        let (give, take) = channel();
        let records = documents.into_iter().flat_map(move |document| splitter.split(document));
        let texts = records.map(move |record| {
            let text = record.document.full_text().into_owned();
            // fails only if the encoder thread has ended
            let _ = give.send(record);
            text
        });
        let mut views = encoder.encode_documents(Box::new(texts));
        let mut state = Adding::default();
        let added = views.try_for_each(|views| {
            let (found, wanted) = (state.texts + 1, state.texts);
            let record =
                take.recv().map_err(|_| CollectionError::EncodedTexts { found, wanted })?;
            self.add_passage(&mut state, &record, views)
        });
        if let Some((id, passages)) = &state.unfinished {
            self.abandon(id, *passages);
        }
        added?;
        match take.try_iter().count() as u64 {
            0 => Ok(state.changes),
            left => Err(CollectionError::EncodedTexts {
                found: state.texts,
                wanted: state.texts + left,
            }),
        }
    }

    /// Adds documents from a source that may fail, such as [`Documents`](crate::Documents).
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add), and [`CollectionError::Source`] for the first failure of the source;
    /// earlier documents are kept for the commit.
    pub fn try_extend<E: Into<Box<dyn Error + Send + Sync>>>(
        &mut self,
        documents: impl IntoIterator<Item = Result<Document, E>, IntoIter: Send>,
    ) -> Result<Changes, CollectionError> {
        let failed = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failed);
        let changes = self.add(documents.into_iter().map_while(move |document| {
            let note = |error: E| {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
            };
            document.map_err(note).ok()
        }))?;
        let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(changes), |error| Err(CollectionError::Source(error)))
    }

    /// Adds a document with its views, as one passage; returns whether it replaced one.
    ///
    /// # Errors
    ///
    /// The id or a view is not valid, or a file cannot be written.
    pub fn add_views(
        &mut self,
        document: &Document,
        views: &DocumentViews,
    ) -> Result<bool, CollectionError> {
        let record = Record::whole(document.clone());
        let id = checked_id(&record)?;
        let before = self.count(id)?;
        let change = self.batch.add(&record, views)?;
        self.finish(id, before, 1)?;
        Ok(change == Change::Replaced)
    }

    /// Deletes a document; returns whether it existed.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn delete(&mut self, id: &str) -> Result<bool, CollectionError> {
        if id.contains(SEPARATOR) {
            return Ok(false);
        }
        let before = self.count(id)?;
        let deleted = self.batch.delete(id)?;
        self.finish(id, before, usize::from(before > 0 && !deleted))?;
        Ok(deleted)
    }

    /// Synchronises the collection with these documents: adds new ones, replaces changed ones,
    /// deletes absent ones, and keeps unchanged ones. Of several with one id the last one counts,
    /// as one document.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn update(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
    ) -> Result<Changes, CollectionError> {
        self.update_keeping(documents, |_| false)
    }

    /// The same, but keeps absent documents whose ids `keep` accepts: those whose files cannot be
    /// read now. `keep` is called after all documents are read.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn update_keeping(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
        mut keep: impl FnMut(&str) -> bool,
    ) -> Result<Changes, CollectionError> {
        let snapshot = self.collection.snapshot();
        let unchanged_before = self.batch.is_unchanged();
        let update = Mutex::new(Update::of(&*snapshot));
        let differs = |document: &Document| {
            update.lock().unwrap_or_else(PoisonError::into_inner).differs(document)
        };
        let written = self.add(documents.into_iter().filter(differs))?;
        let update = update.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut changes = update.count(written);
        let keys = snapshot.keys();
        let ids = keys.iter().filter(|key| is_first(key));
        for id in ids.filter(|id| !update.has(id) && !keep(id)) {
            changes.deleted += u64::from(self.delete(id)?);
        }
        let Changes { added, replaced, deleted, .. } = changes;
        if unchanged_before && added + replaced + deleted == 0 {
            // the written document equals the committed one again
            self.batch.roll_back()?;
            self.counts.clear();
        }
        Ok(changes)
    }

    /// Sets a tag, which is committed with the changes, such as the position in a queue: see
    /// [`Collection::tag`].
    pub fn tag(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.batch.tag(name.into(), value.into());
    }

    /// Commits all changes atomically, moves the collection to the commit, and returns its number.
    /// Without changes, nothing is written.
    ///
    /// # Errors
    ///
    /// A file cannot be written, or the work was stopped: the previous commit stays current, and
    /// the writer accepts no more changes.
    pub fn commit(&mut self) -> Result<u64, CollectionError> {
        self.end(Commit::Append)
    }

    /// Rewrites all documents without the deleted ones, in as few segments as possible, and
    /// commits.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn compact(&mut self) -> Result<u64, CollectionError> {
        self.end(Commit::Compact)
    }

    fn end(&mut self, how: Commit) -> Result<u64, CollectionError> {
        self.report(Progress::Views(0))?;
        let (stamp, progress, mut views) = (self.collection.stamp(), &mut self.progress, 0);
        let committed = self.batch.commit(&stamp, how, &mut |count| {
            views += count;
            progress.as_mut().is_none_or(|report| report(Progress::Views(views)))
        })?;
        self.counts.clear();
        Ok(committed)
    }
}
