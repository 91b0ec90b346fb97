//! Changes an index: one writer at a time, one commit after another.

mod commit;
mod directory;
mod validate;

use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane_durable::{Disk, FileEntry, Lock, Storage, make_directory, write_file};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::bits::Bits;
use super::error::{OpenIndexError, WriteIndexError};
use super::manifest::{CURRENT, IndexSettings, Manifest};
use super::partition::FEWEST_VIEWS;
use super::reader::Generation;
use super::segment::Segment;
use super::segment_writer::{KeptViews, SegmentWriter, Views};
use crate::{Reduction, TokenMatrix};

/// How a writer works; these settings are not stored.
#[derive(Debug, Clone, PartialEq)]
pub struct WriterSettings {
    /// The approximate memory limit in bytes, whatever the number of documents.
    pub memory: usize,
    /// The number of threads that build lists.
    pub threads: NonZero<usize>,
    /// The seed of all random numbers.
    pub seed: u64,
    /// With fewer views no lists are built, and searches scan all views.
    pub lists_from: u64,
    /// Which token views of a document are kept; lane views are all kept.
    pub reduction: Reduction,
}

impl Default for WriterSettings {
    /// 1 GiB, all cores, a fixed seed, lists from [`FEWEST_VIEWS`] on, no near-duplicates.
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            seed: 0x000F_A571_A4E5,
            lists_from: FEWEST_VIEWS,
            reduction: Reduction::default(),
        }
    }
}

/// A document to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// Its permanent id.
    pub id: &'a str,
    /// The searched views.
    pub views: &'a TokenMatrix,
    /// Token views that only score, if the index has them separately.
    pub tokens: Option<&'a TokenMatrix>,
    /// The importance of each token view, for a [`Reduction`] that needs it: finite numbers.
    pub weights: Option<&'a [f32]>,
}

/// Adds, replaces and deletes documents, and commits.
///
/// Uncommitted changes are lost when it is dropped and after an error.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    storage: Box<dyn Storage>,
    settings: WriterSettings,
    pool: ThreadPool,
    /// The current manifest.
    manifest: Manifest,
    /// The current generation, open so that its files are kept.
    generation: Option<Generation>,
    /// The complete segments of the next generation.
    segments: Vec<Pending>,
    /// The segment that documents are added to.
    open_segment: Option<SegmentWriter>,
    /// The number of file stems in use for the next generation.
    stems: usize,
    attachments: Vec<(String, FileEntry)>,
    /// Whether an error lost the uncommitted changes.
    ended: bool,
    _lock: Lock,
}

/// A segment, and the documents deleted from it since.
#[derive(Debug)]
struct Pending {
    segment: Arc<Segment>,
    deleted: Bits,
}

impl Writer {
    /// Opens the index in a directory, or creates one there.
    ///
    /// # Errors
    ///
    /// Another writer has it open, it has other settings, it is damaged, the directory has files of
    /// another program, or an I/O call fails.
    pub fn open(
        directory: &Path,
        index: &IndexSettings,
        settings: WriterSettings,
    ) -> Result<Self, OpenIndexError> {
        directory::check_dims(index)?;
        let storage = Box::new(Disk::new(directory));
        Self::open_on(storage, directory, Some(index), settings)
    }

    /// Opens an existing index with its own settings.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when there is no index.
    pub fn open_existing(
        directory: &Path,
        settings: WriterSettings,
    ) -> Result<Self, OpenIndexError> {
        if !directory.join(CURRENT).exists() {
            return Err(OpenIndexError::Absent { path: directory.to_owned() });
        }
        Self::open_on(Box::new(Disk::new(directory)), directory, None, settings)
    }

    /// Opens it on the given storage.
    pub(crate) fn open_on(
        storage: Box<dyn Storage>,
        directory: &Path,
        index: Option<&IndexSettings>,
        settings: WriterSettings,
    ) -> Result<Self, OpenIndexError> {
        let write = |source| OpenIndexError::Write { path: directory.to_owned(), source };
        make_directory(directory).map_err(write)?;
        directory::check_files(directory)?;
        let lock = directory::lock(directory)?;
        let (manifest, generation) = match (Manifest::is_there(directory)?, index) {
            (true, _) => {
                let generation = Generation::open(directory, None)?;
                generation.trust_ids()?;
                (generation.manifest.clone(), Some(generation))
            }
            (false, Some(index)) => (Manifest::new(index.clone()), None),
            (false, None) => return Err(OpenIndexError::Absent { path: directory.to_owned() }),
        };
        if let Some(index) = index {
            directory::check_same(directory, &manifest.settings, index)?;
        }
        let pool = ThreadPoolBuilder::new().num_threads(settings.threads.get()).build();
        let pool = pool.map_err(|error| write(io::Error::other(error)))?;
        let mut writer = Self {
            directory: directory.to_owned(),
            storage,
            settings,
            pool,
            manifest,
            generation,
            segments: Vec::new(),
            open_segment: None,
            stems: 0,
            attachments: Vec::new(),
            ended: false,
            _lock: lock,
        };
        writer.begin();
        // a rename that a crash interrupted must be durable before the replaced files are removed
        writer.storage.sync().map_err(write)?;
        writer.remove_old_files().map_err(write)?;
        Ok(writer)
    }

    /// Starts from the current generation.
    fn begin(&mut self) {
        let segments = self.generation.iter().flat_map(|generation| &generation.segments);
        self.segments = segments.map(Pending::new).collect();
        (self.open_segment, self.stems) = (None, 0);
        self.attachments.clear();
    }

    /// The settings that were fixed when the index was created.
    pub fn settings(&self) -> &IndexSettings {
        &self.manifest.settings
    }

    /// The number of the current commit; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// Changes the model fingerprint with the next commit; the views stay.
    ///
    /// Use it only for a new form of the same model's fingerprint: it does not make views of
    /// different models comparable.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn set_model(&mut self, name: &str) -> Result<(), WriteIndexError> {
        self.check_ended()?;
        name.clone_into(&mut self.manifest.settings.model);
        Ok(())
    }

    /// The number of documents after the next commit.
    pub fn documents(&self) -> u64 {
        let kept =
            |pending: &Pending| (pending.segment.documents() - pending.deleted.count()) as u64;
        let new = self.open_segment.as_ref().map_or(0, |segment| segment.live() as u64);
        self.segments.iter().map(kept).sum::<u64>() + new
    }

    /// Adds a document, or replaces the one that has its id: see [`NewDocument`].
    ///
    /// # Errors
    ///
    /// As [`add_document`](Self::add_document).
    pub fn add(
        &mut self,
        id: &str,
        views: &TokenMatrix,
        tokens: Option<&TokenMatrix>,
    ) -> Result<(), WriteIndexError> {
        self.add_document(&NewDocument { id, views, tokens, weights: None })
    }

    /// Adds a document, or replaces the one that has its id.
    ///
    /// # Errors
    ///
    /// The id or a view is invalid, and nothing changes; or an I/O call fails, and all uncommitted
    /// changes are lost.
    pub fn add_document(&mut self, document: &NewDocument<'_>) -> Result<(), WriteIndexError> {
        let NewDocument { id, views, tokens, weights } = *document;
        self.check_ended()?;
        validate::check(document, &self.manifest.settings)?;
        let many = tokens.unwrap_or(views);
        let reduction = match self.manifest.settings.lanes_only {
            true => &Reduction::OFF,
            false => &self.settings.reduction,
        };
        let kept = reduction.apply(many, weights);
        let reduced = (kept.len() < many.len()).then(|| many.select(&kept));
        let positions: Vec<u32> = kept.iter().map(|&row| row as u32).collect();
        let many = Views::New(reduced.as_ref().unwrap_or(many));
        let many = KeptViews { views: many, positions: Some(&positions) };
        let (views, tokens) = match tokens {
            None => (many, None),
            Some(_) => (KeptViews { views: Views::New(views), positions: None }, Some(many)),
        };
        self.remove(id);
        let added = self.write_document(id, views, tokens);
        self.ending(added)
    }

    fn write_document(
        &mut self,
        id: &str,
        views: KeptViews<'_>,
        tokens: Option<KeptViews<'_>>,
    ) -> Result<(), WriteIndexError> {
        let segment = match self.open_segment.take() {
            Some(segment) => segment,
            None => {
                let stem = self.stem();
                SegmentWriter::new(&*self.storage, stem, &self.manifest.settings)
                    .map_err(|error| self.cannot_write(error))?
            }
        };
        let segment = self.open_segment.insert(segment);
        let added = segment.add(&*self.storage, id, views, tokens);
        let full = segment.memory() > self.settings.memory / 4
            || segment.views() * size_of::<u32>() > self.settings.memory / 8
            || segment.views() > (u32::MAX as usize) / 2;
        added.map_err(|error| self.cannot_write(error))?;
        if full { self.seal() } else { Ok(()) }
    }

    /// Deletes a document and returns whether it was there.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn delete(&mut self, id: &str) -> Result<bool, WriteIndexError> {
        self.check_ended()?;
        Ok(self.remove(id))
    }

    fn remove(&mut self, id: &str) -> bool {
        if self.open_segment.as_mut().is_some_and(|segment| segment.delete(id)) {
            return true;
        }
        self.segments.iter_mut().any(|pending| {
            let found = pending.segment.find(id);
            found.is_some_and(|document| pending.deleted.add(document))
        })
    }

    /// Stores bytes under a name with the next generation, and with those after it.
    ///
    /// `None` removes the attachment of that name.
    ///
    /// # Errors
    ///
    /// An I/O call fails, and all uncommitted changes are lost.
    pub fn attach(&mut self, name: &str, bytes: Option<&[u8]>) -> Result<(), WriteIndexError> {
        self.check_ended()?;
        self.attachments.retain(|(other, _)| other != name);
        let Some(bytes) = bytes else {
            self.manifest.attachments.remove(name);
            return Ok(());
        };
        let stem = self.stem();
        let written = write_file(&*self.storage, &format!("{stem}.attached"), bytes);
        let written = written.map_err(|error| self.cannot_write(error));
        let entry = self.ending(written)?;
        self.attachments.push((name.to_owned(), entry));
        Ok(())
    }

    /// Discards all uncommitted changes, and frees their disk space.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer, or an I/O call fails.
    pub fn roll_back(&mut self) -> Result<(), WriteIndexError> {
        self.check_ended()?;
        if let Some(generation) = &self.generation {
            self.manifest = generation.manifest.clone();
        }
        self.begin();
        let removed = self.remove_old_files().map_err(|error| self.cannot_write(error));
        self.ending(removed)
    }

    /// The next file name of the next generation, up to the dot.
    fn stem(&mut self) -> String {
        self.stems += 1;
        format!("{:06}-{}", self.manifest.generation + 1, self.stems)
    }

    fn cannot_write(&self, source: io::Error) -> WriteIndexError {
        WriteIndexError::Write { path: self.directory.clone(), source }
    }

    fn check_ended(&self) -> Result<(), WriteIndexError> {
        match self.ended {
            true => Err(WriteIndexError::Ended { path: self.directory.clone() }),
            false => Ok(()),
        }
    }

    /// Marks the writer as ended if the result is an error: uncommitted changes are lost.
    fn ending<T>(&mut self, result: Result<T, WriteIndexError>) -> Result<T, WriteIndexError> {
        self.ended |= result.is_err();
        result
    }
}

impl Drop for Writer {
    /// Frees the disk space of uncommitted changes.
    fn drop(&mut self) {
        self.open_segment = None;
        // files that cannot be removed now are removed by the next writer
        let _ = self.remove_old_files();
    }
}

impl Pending {
    fn new(segment: &Arc<Segment>) -> Self {
        Self { segment: Arc::clone(segment), deleted: segment.deleted.clone() }
    }
}
