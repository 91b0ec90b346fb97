//! Adds the passages of documents, and keeps each document whole.

use fastlane_engine::{DocumentViews, EncodeError};

use super::{CollectionWriter, Progress};
use crate::backend::Change;
use crate::error::CollectionError;
use crate::read;
use crate::record::{Record, SEPARATOR, document_of, key};
use crate::update::Changes;

/// The state of a stream of documents that is being added.
#[derive(Default)]
pub(super) struct Adding {
    pub(super) changes: Changes,
    /// Texts that were encoded.
    pub(super) texts: u64,
    /// How many passages the current document had before.
    before: usize,
    /// Whether it was there.
    replaced: bool,
    /// The current document, and how many passages of it may be there, until all are added.
    pub(super) unfinished: Option<(String, usize)>,
}

impl CollectionWriter {
    /// Adds a passage; with the last one of a document, the document is counted.
    pub(super) fn add_passage(
        &mut self,
        state: &mut Adding,
        record: &Record,
        views: Result<DocumentViews, EncodeError>,
    ) -> Result<(), CollectionError> {
        state.texts += 1;
        let passage = record.passage();
        let id = checked_id(record)?;
        if passage.number == 1 {
            state.before = self.count(id)?;
            let passages = state.before.max(passage.of);
            state.unfinished = (passage.of > 1).then(|| (id.to_owned(), passages));
        }
        let views =
            views.map_err(|source| CollectionError::Encode { id: id.to_owned(), source })?;
        let change = self.batch.add(record, &views)?;
        if passage.number == 1 {
            state.replaced = change == Change::Replaced;
        }
        if passage.number == passage.of {
            self.finish(id, state.before, passage.of)?;
            state.unfinished = None;
            match state.replaced {
                true => state.changes.replaced += 1,
                false => state.changes.added += 1,
            }
        }
        self.report(Progress::Documents(state.changes.added + state.changes.replaced))
    }

    /// How many passages a document has now, 0 if it is absent.
    pub(super) fn count(&self, id: &str) -> Result<usize, CollectionError> {
        match self.counts.get(id) {
            Some(count) => Ok(*count),
            None => read::count(&*self.collection.snapshot(), id),
        }
    }

    /// Ends the change of a document: deletes the passages of it that there are no more.
    pub(super) fn finish(
        &mut self,
        id: &str,
        before: usize,
        now: usize,
    ) -> Result<(), CollectionError> {
        for number in now + 1..=before {
            self.batch.delete(&key(id, number))?;
        }
        if before > 1 || now > 1 {
            self.counts.insert(id.to_owned(), now);
        }
        Ok(())
    }

    /// Deletes a document of which not all passages could be added, so that no part of it stays.
    pub(super) fn abandon(&mut self, id: &str, passages: usize) {
        // a passage that cannot be deleted ended the batch: it cannot be committed
        let gone = (1..=passages).try_for_each(|number| {
            let deleted = self.batch.delete(&key(id, number));
            deleted.map(|_| ())
        });
        if gone.is_ok() && passages > 1 {
            self.counts.insert(id.to_owned(), 0);
        }
    }
}

/// The id of the document of a record.
pub(super) fn checked_id(record: &Record) -> Result<&str, CollectionError> {
    let key = &record.document.id;
    let id = if record.note.is_some() { document_of(key) } else { key };
    match id {
        "" => Err(CollectionError::EmptyId),
        id if id.contains(SEPARATOR) => Err(CollectionError::BadId { id: id.to_owned() }),
        id => Ok(id),
    }
}
