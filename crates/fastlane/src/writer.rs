//! Changes to a collection: views, text, metadata and words, all or nothing.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use fastlane_corpus::{Document, LexicalReader};
use fastlane_engine::{DocumentViews, Encoder as _, Writer};
use fastlane_model::Model;
use serde::Serialize;

use crate::collection::Collection;
use crate::error::CollectionError;
use crate::snapshot::{ABOUT, About, Snapshot};
use crate::words::{Draft, remove_others};

/// Changes a collection; nothing holds, or is seen by others, before [`commit`](Self::commit).
pub struct CollectionWriter<'a> {
    collection: &'a Collection,
    views: Writer,
    draft: Option<Draft>,
    mark: Option<String>,
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
        Self { collection, views, draft: None, mark: None }
    }

    /// Writes the first commit of a collection, which is empty.
    pub(crate) fn first(
        directory: &Path,
        model: &Model,
        mut views: Writer,
    ) -> Result<(), CollectionError> {
        let words = Draft::begin(directory, 1, None)?.finish()?;
        let about = About { format: 1, model: absolute(model.directory()), words, mark: None };
        attach(directory, &mut views, &about)?;
        views.commit()?;
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
        if document.id.is_empty() {
            return Err(CollectionError::EmptyId);
        }
        let before = self.views.documents();
        let (searched, tokens) = views.searched();
        self.views.add(&document.id, searched, tokens)?;
        self.draft()?.writer().replace(document)?;
        Ok(self.views.documents() == before)
    }

    /// Deletes a document; tells whether it was there.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn delete(&mut self, id: &str) -> Result<bool, CollectionError> {
        let there = self.views.delete(id)?;
        if there {
            self.draft()?.writer().delete(id);
        }
        Ok(there)
    }

    /// Makes the collection hold just these documents: adds what is new, replaces what differs,
    /// deletes what is gone, and leaves alone what is there as it is.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn update(
        &mut self,
        documents: impl IntoIterator<Item = Document, IntoIter: Send>,
        watch: Watch<'_>,
    ) -> Result<Changes, CollectionError> {
        let snapshot = self.collection.snapshot();
        let (give, take) = channel();
        let unchanged = |document: &Document| is_same(&snapshot.words, document);
        let differing = documents.into_iter().filter(move |document| {
            let same = unchanged(document);
            let _ = give.send((document.id.clone(), same));
            !same
        });
        let mut changes = self.add(differing, watch)?;
        let (mut seen, mut same) = (HashSet::new(), 0);
        for (id, unchanged) in &take {
            same += u64::from(unchanged);
            seen.insert(id);
        }
        changes.unchanged = same;
        for id in snapshot.reader.ids().filter(|id| !seen.contains(*id)) {
            changes.deleted += u64::from(self.delete(id)?);
        }
        Ok(changes)
    }

    /// Leaves a word that the commit keeps with its changes, such as how far a queue was worked
    /// off: see [`Collection::mark`].
    pub fn mark(&mut self, word: impl Into<String>) {
        self.mark = Some(word.into());
    }

    /// Makes all changes hold, all or nothing, and moves the collection to them.
    ///
    /// Without changes, nothing is written.
    ///
    /// # Errors
    ///
    /// The system refuses: what held before holds still.
    pub fn commit(mut self) -> Result<u64, CollectionError> {
        self.end(Writer::commit)
    }

    /// Commits all documents anew without the deleted ones, in as few segments as can be.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn compact(mut self) -> Result<u64, CollectionError> {
        self.end(Writer::compact)
    }

    fn end(
        &mut self,
        end: impl FnOnce(&mut Writer) -> Result<u64, fastlane_engine::WriteIndexError>,
    ) -> Result<u64, CollectionError> {
        let before = self.collection.snapshot().about.clone();
        let words = self.draft.take().map(Draft::finish).transpose()?;
        let words = words.unwrap_or_else(|| before.words.clone());
        let mark = self.mark.take().or_else(|| before.mark.clone());
        let about = About { words: words.clone(), mark, ..before.clone() };
        if about != before {
            attach(&self.collection.directory, &mut self.views, &about)?;
        }
        if let Some(model) = &self.collection.model
            && self.collection.has_earlier_fingerprint()
        {
            self.views.set_model(&model.fingerprint().to_string())?;
        }
        let generation = end(&mut self.views)?;
        self.collection.refresh()?;
        remove_others(&self.collection.directory, &words);
        Ok(generation)
    }

    /// The words of the next generation; made when the first of them changes.
    fn draft(&mut self) -> Result<&mut Draft, CollectionError> {
        if self.draft.is_none() {
            let snapshot = self.collection.snapshot();
            let Snapshot { reader, about, .. } = &*snapshot;
            let (directory, generation) = (&self.collection.directory, reader.generation() + 1);
            self.draft = Some(Draft::begin(directory, generation, Some(&about.words))?);
        }
        Ok(self.draft.as_mut().expect("it was made above"))
    }

    fn model(&self) -> Result<Arc<Model>, CollectionError> {
        let path = self.collection.directory.clone();
        self.collection.model.clone().ok_or(CollectionError::NoModel { path })
    }
}

/// Whether a document is there as it is.
fn is_same(words: &LexicalReader, document: &Document) -> bool {
    // what cannot be read is written again
    words.get(&document.id).ok().flatten().is_some_and(|there| there == *document)
}

/// Puts what the next commit says about the collection into it.
fn attach(directory: &Path, views: &mut Writer, about: &About) -> Result<(), CollectionError> {
    let text = serde_json::to_vec_pretty(about).expect("paths and names are texts");
    let failed = |source| CollectionError::Write { path: directory.to_owned(), source };
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(&text).and_then(|()| file.flush()).map_err(failed)?;
    Ok(views.attach(ABOUT, Some(file.path()))?)
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
