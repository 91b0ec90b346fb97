//! One immutable part of an index, opened for search.

use std::io;
use std::sync::Arc;

use tantivy::columnar::StrColumn;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, TERMINATED, TantivyError};

use super::bits::Bits;
use super::error::LexicalSearchError;
use super::facts;
use super::pace::Pace;
use super::schema::Fields;
use crate::Filter;

pub(super) struct Segment {
    pub(super) words: Arc<InvertedIndexReader>,
    pub(super) lengths: FieldNormReader,
    facts: Arc<InvertedIndexReader>,
    ids: StrColumn,
    len: u32,
    deletes: Option<Deletes>,
}

struct Deletes {
    alive: Arc<Bits>,
    dead: Bits,
}

impl Segment {
    pub(super) fn open(reader: &SegmentReader, fields: Fields) -> tantivy::Result<Self> {
        let ids = reader.fast_fields().str("id")?;
        Ok(Segment {
            words: reader.inverted_index(fields.words)?,
            lengths: reader.get_fieldnorms_reader(fields.words)?,
            facts: reader.inverted_index(fields.facts)?,
            ids: ids.ok_or_else(|| TantivyError::FieldNotFound("id".to_owned()))?,
            len: reader.max_doc(),
            deletes: deletes(reader),
        })
    }

    /// The number of surviving documents, and the sum of their lengths.
    pub(super) fn size(&self) -> (u64, u64) {
        let lengths = (0..self.len)
            .filter(|doc| self.deletes.as_ref().is_none_or(|deletes| deletes.alive.contains(*doc)))
            .map(|doc| u64::from(self.lengths.fieldnorm(doc)));
        lengths.fold((0, 0), |(count, sum), length| (count + 1, sum + length))
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The documents that may be found, `None` when that is all of them.
    pub(super) fn allowed(
        &self,
        filter: Option<&Filter>,
        pace: &Pace<'_>,
    ) -> Result<Option<Arc<Bits>>, LexicalSearchError> {
        let alive = self.deletes.as_ref().map(|deletes| deletes.alive.clone());
        let Some(Filter(node)) = filter else { return Ok(alive) };
        let mut passing = facts::select(node, &self.facts, (self.len, pace))?;
        alive.iter().for_each(|alive| passing.intersect(alive));
        Ok(Some(Arc::new(passing)))
    }

    pub(super) fn list(&self, info: &TermInfo) -> io::Result<SegmentPostings> {
        self.words.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
    }

    /// In how many surviving documents a word occurs.
    ///
    /// Where documents were deleted, the word's list and theirs leap over each other's gaps.
    pub(super) fn document_frequency(&self, info: &TermInfo) -> io::Result<u64> {
        let all = u64::from(info.doc_freq);
        let Some(Deletes { dead, .. }) = &self.deletes else { return Ok(all) };
        let mut list = self.words.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        let mut among_dead = 0;
        while let Some(doc) = dead.next(list.doc()) {
            if list.seek(doc) == doc {
                among_dead += 1;
                list.advance();
            }
            if list.doc() == TERMINATED {
                break;
            }
        }
        Ok(all - among_dead)
    }

    /// The place of a document's id in the order of this segment's ids.
    pub(super) fn id_ord(&self, doc: u32) -> u64 {
        self.ids.ords().first(doc).expect("every document has an id")
    }

    /// The ids at some places, which must rise.
    pub(super) fn ids(&self, rising_ords: &[u64]) -> io::Result<Vec<String>> {
        let mut ids = Vec::with_capacity(rising_ords.len());
        self.ids.dictionary().sorted_ords_to_term_cb(rising_ords, |id| {
            ids.push(String::from_utf8_lossy(id).into_owned());
        })?;
        Ok(ids)
    }
}

fn deletes(reader: &SegmentReader) -> Option<Deletes> {
    let mut alive = Bits::new(reader.max_doc());
    reader.alive_bitset()?.iter_alive().for_each(|doc| alive.insert(doc));
    Some(Deletes { dead: alive.clone().complement(), alive: Arc::new(alive) })
}
