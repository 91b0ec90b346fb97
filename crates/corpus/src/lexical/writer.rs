//! Adds, replaces and deletes documents, and makes the changes durable together.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZero;
use std::path::Path;

use tantivy::indexer::LogMergePolicy;
use tantivy::tokenizer::MAX_TOKEN_LEN;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Term};

use super::error::{LexicalOpenError, LexicalWriteError};
use super::reader::address_of;
use super::schema::{self, Fields, LexicalSettings};
use crate::Document;

/// The memory of each thread before it writes a segment.
const BYTES_PER_THREAD: usize = 64 << 20;
/// A segment with more deleted documents than this is rewritten without them.
const TOLERATED_DELETES: f32 = 0.2;

/// Builds and changes a lexical index; nothing is visible or durable before [`commit`](Self::commit).
///
/// Memory: 64 MiB per thread, and 20 to 40 bytes for each document added since the last commit
/// (a hash of its id of 128 bits, to find ids given twice).
///
/// ```
/// use std::num::NonZero;
/// use fastlane_corpus::{Document, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter};
///
/// let directory = tempfile::tempdir()?;
/// let settings = LexicalSettings::default();
/// let mut writer = LexicalWriter::create(directory.path(), settings, NonZero::<usize>::MIN)?;
/// writer.add(&Document { id: "g".into(), text: "Masses attract.".into(), ..Default::default() })?;
/// writer.finish()?;
///
/// let reader = LexicalReader::open(directory.path())?;
/// let hits = reader.search("what attracts a mass?", &LexicalSearch::default())?;
/// assert_eq!(hits[0].id, "g");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LexicalWriter {
    fields: Fields,
    /// `None` only while it is dropped.
    writer: Option<IndexWriter>,
    committed: IndexReader,
    /// Hashes of the ids that were added, and not deleted again, since the last commit.
    added: HashSet<u128>,
    /// Hashes of the ids that were deleted since the last commit.
    deleted: HashSet<u128>,
}

impl LexicalWriter {
    /// Creates an empty index in a directory, which is created if absent, with a number of threads.
    ///
    /// # Errors
    ///
    /// The directory already contains an index, or cannot be written.
    pub fn create(
        path: &Path,
        settings: LexicalSettings,
        threads: NonZero<usize>,
    ) -> Result<Self, LexicalOpenError> {
        let (index, fields) = schema::create(path, settings)?;
        Self::on(&index, fields, threads).map_err(|error| LexicalOpenError::of(error, path))
    }

    /// Opens an index to change it; its settings stay.
    ///
    /// # Errors
    ///
    /// There is no index, this build cannot read it, or another writer is open.
    pub fn open(path: &Path, threads: NonZero<usize>) -> Result<Self, LexicalOpenError> {
        let (index, fields, _) = schema::open(path)?;
        Self::on(&index, fields, threads).map_err(|error| LexicalOpenError::of(error, path))
    }

    fn on(index: &Index, fields: Fields, threads: NonZero<usize>) -> tantivy::Result<Self> {
        let threads = threads.get();
        let writer = index.writer_with_num_threads(threads, threads * BYTES_PER_THREAD)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(TOLERATED_DELETES);
        writer.set_merge_policy(Box::new(policy));
        let committed = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = Some(writer);
        Ok(Self { fields, writer, committed, added: HashSet::new(), deleted: HashSet::new() })
    }

    /// Checks whether a document can have this id.
    ///
    /// # Errors
    ///
    /// The id is too long.
    pub fn check_id(id: &str) -> Result<(), LexicalWriteError> {
        if id.len() <= MAX_TOKEN_LEN {
            return Ok(());
        }
        let start = id.chars().take(40).collect();
        Err(LexicalWriteError::LongId { start, found: id.len(), limit: MAX_TOKEN_LEN })
    }

    /// Adds a document whose id is new.
    ///
    /// # Errors
    ///
    /// The id is in the index already, or too long.
    pub fn add(&mut self, document: &Document) -> Result<(), LexicalWriteError> {
        self.add_with(document, None)
    }

    fn add_with(
        &mut self,
        document: &Document,
        note: Option<&str>,
    ) -> Result<(), LexicalWriteError> {
        Self::check_id(&document.id)?;
        let hash = hash_of(&document.id);
        if self.has(&document.id, hash)? {
            return Err(LexicalWriteError::Duplicate { id: document.id.clone() });
        }
        let laid_out = self.fields.lay_out(document, note);
        self.writer().add_document(laid_out)?;
        self.added.insert(hash);
        Ok(())
    }

    /// Deletes the document with an id, if there is one.
    pub fn delete(&mut self, id: &str) {
        let term = Term::from_field_text(self.fields.id, id);
        self.writer().delete_term(term);
        let hash = hash_of(id);
        self.added.remove(&hash);
        self.deleted.insert(hash);
    }

    /// Adds a document, or replaces the one with its id.
    ///
    /// # Errors
    ///
    /// The id is too long.
    pub fn replace(&mut self, document: &Document) -> Result<(), LexicalWriteError> {
        self.replace_with(document, None)
    }

    /// The same, with a note of the caller that [`LexicalReader::get_with`] gives back.
    ///
    /// [`LexicalReader::get_with`]: crate::LexicalReader::get_with
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace).
    pub fn replace_with(
        &mut self,
        document: &Document,
        note: Option<&str>,
    ) -> Result<(), LexicalWriteError> {
        Self::check_id(&document.id)?;
        self.delete(&document.id);
        self.add_with(document, note)
    }

    /// Commits: makes all changes durable, and visible to readers opened from now on, or none of
    /// them.
    pub fn commit(&mut self) -> Result<(), LexicalWriteError> {
        self.writer().commit()?;
        self.committed.reload()?;
        self.added.clear();
        self.deleted.clear();
        Ok(())
    }

    /// Commits, and waits for background merges.
    pub fn finish(mut self) -> Result<(), LexicalWriteError> {
        self.commit()?;
        Ok(self.writer.take().map_or(Ok(()), IndexWriter::wait_merging_threads)?)
    }

    fn writer(&mut self) -> &mut IndexWriter {
        self.writer.as_mut().expect("only `finish` and `drop` take the writer, and both end it")
    }

    fn has(&self, id: &str, hash: u128) -> Result<bool, LexicalWriteError> {
        if self.added.contains(&hash) {
            return Ok(true);
        }
        if self.deleted.contains(&hash) {
            return Ok(false);
        }
        Ok(address_of(&self.committed.searcher(), self.fields.id, id)?.is_some())
    }
}

impl Drop for LexicalWriter {
    /// Waits for merges before the lock is released.
    ///
    /// tantivy's own drop releases the lock at once, while a merge may still save its list of
    /// segments and delete the old ones; a writer opened in between would refer to deleted
    /// segments.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // The commit is safe whether or not a merge succeeds.
            let _ = writer.wait_merging_threads();
        }
    }
}

fn hash_of(id: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, id).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
