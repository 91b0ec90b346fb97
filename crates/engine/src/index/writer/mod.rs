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
use super::segment_writer::{Builder, Kept, Views};
use crate::{Reduction, TokenMatrix};

/// How a writer works; nothing of it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct WriterSettings {
    /// About how many bytes it may hold, whatever the number of documents.
    pub memory: usize,
    /// How many threads make lists.
    pub threads: NonZero<usize>,
    /// Where all random numbers come from.
    pub seed: u64,
    /// With fewer views no lists are made, and searches look at all.
    pub lists_from: u64,
    /// Which of a document's token views are kept; its lane views all are.
    pub reduction: Reduction,
}

impl Default for WriterSettings {
    /// 1 GiB, all cores, always the same random numbers, lists from [`FEWEST_VIEWS`] on, no
    /// near-duplicates.
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
    /// Its name, for ever.
    pub id: &'a str,
    /// The views that are searched.
    pub views: &'a TokenMatrix,
    /// Views that only score, in an index that keeps these apart.
    pub tokens: Option<&'a TokenMatrix>,
    /// How important each token view is, for a [`Reduction`] that asks for it: finite numbers.
    pub weights: Option<&'a [f32]>,
}

/// Adds, replaces and deletes documents, and commits.
///
/// What is not committed when it is dropped, or when an error comes, never was.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    storage: Box<dyn Storage>,
    settings: WriterSettings,
    pool: ThreadPool,
    /// What holds.
    manifest: Manifest,
    /// Keeps the files of what holds.
    generation: Option<Generation>,
    /// The segments of the next generation, as far as they are complete.
    segments: Vec<Pending>,
    builder: Option<Builder>,
    /// How many stems of files were given out for the next generation.
    stems: usize,
    attachments: Vec<(String, FileEntry)>,
    /// Whether an error made what is not committed worthless.
    ended: bool,
    _lock: Lock,
}

/// A segment and what was deleted of it since.
#[derive(Debug)]
struct Pending {
    segment: Arc<Segment>,
    deleted: Bits,
}

impl Writer {
    /// Opens the index in a directory, or makes one there.
    ///
    /// # Errors
    ///
    /// Another writer has it, it has other settings, it is damaged, the directory holds files of
    /// somebody else, or the system refuses.
    pub fn open(
        directory: &Path,
        index: &IndexSettings,
        settings: WriterSettings,
    ) -> Result<Self, OpenIndexError> {
        directory::check_dims(index)?;
        let storage = Box::new(Disk::new(directory));
        Self::open_on(storage, directory, Some(index), settings)
    }

    /// Opens an index that is there, with the settings that it has.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when there is none.
    pub fn open_existing(
        directory: &Path,
        settings: WriterSettings,
    ) -> Result<Self, OpenIndexError> {
        if !directory.join(CURRENT).exists() {
            return Err(OpenIndexError::Absent { path: directory.to_owned() });
        }
        Self::open_on(Box::new(Disk::new(directory)), directory, None, settings)
    }

    /// Opens it on a storage of one's own.
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
            builder: None,
            stems: 0,
            attachments: Vec::new(),
            ended: false,
            _lock: lock,
        };
        writer.begin();
        // a rename that a crash left on its way must hold before what it replaced goes
        writer.storage.sync().map_err(write)?;
        writer.remove_old_files().map_err(write)?;
        Ok(writer)
    }

    /// Starts from what holds.
    fn begin(&mut self) {
        let segments = self.generation.iter().flat_map(|generation| &generation.segments);
        self.segments = segments.map(Pending::new).collect();
        (self.builder, self.stems) = (None, 0);
        self.attachments.clear();
    }

    /// What was fixed when the index was made.
    pub fn settings(&self) -> &IndexSettings {
        &self.manifest.settings
    }

    /// The number of the commit that holds; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// Gives the model of all views another name with the next commit; the views stay.
    ///
    /// It is for names that mean the same model: nothing else makes views comparable.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn set_model(&mut self, name: &str) -> Result<(), WriteIndexError> {
        self.check_ended()?;
        name.clone_into(&mut self.manifest.settings.model);
        Ok(())
    }

    /// Counts the documents that the next commit will hold.
    pub fn documents(&self) -> u64 {
        let kept =
            |pending: &Pending| (pending.segment.documents() - pending.deleted.count()) as u64;
        let new = self.builder.as_ref().map_or(0, |builder| builder.live() as u64);
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
    /// The id or a view cannot be taken, and nothing changes; or the system refuses, and
    /// everything that is not committed is lost.
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
        let many = Kept { views: many, positions: Some(&positions) };
        let (views, tokens) = match tokens {
            None => (many, None),
            Some(_) => (Kept { views: Views::New(views), positions: None }, Some(many)),
        };
        self.remove(id);
        let added = self.write_document(id, views, tokens);
        self.ending(added)
    }

    fn write_document(
        &mut self,
        id: &str,
        views: Kept<'_>,
        tokens: Option<Kept<'_>>,
    ) -> Result<(), WriteIndexError> {
        if self.builder.is_none() {
            let stem = self.stem();
            let builder = Builder::new(&*self.storage, stem, &self.manifest.settings);
            self.builder = Some(builder.map_err(|error| self.cannot_write(error))?);
        }
        let builder = self.builder.as_mut().expect("it was made above");
        let added = builder.add(&*self.storage, id, views, tokens);
        let full = builder.memory() > self.settings.memory / 4
            || builder.views() * size_of::<u32>() > self.settings.memory / 8
            || builder.views() > (u32::MAX as usize) / 2;
        added.map_err(|error| self.cannot_write(error))?;
        if full { self.seal() } else { Ok(()) }
    }

    /// Deletes a document; tells whether it was there.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer.
    pub fn delete(&mut self, id: &str) -> Result<bool, WriteIndexError> {
        self.check_ended()?;
        Ok(self.remove(id))
    }

    fn remove(&mut self, id: &str) -> bool {
        if self.builder.as_mut().is_some_and(|builder| builder.delete(id)) {
            return true;
        }
        self.segments.iter_mut().any(|pending| {
            let found = pending.segment.find(id);
            found.is_some_and(|document| pending.deleted.add(document))
        })
    }

    /// Keeps bytes with the next generation, and with those after it, under a name.
    ///
    /// `None` removes the attachment of that name.
    ///
    /// # Errors
    ///
    /// The system refuses, and everything that is not committed is lost.
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

    /// Forgets everything that is not committed, and gives back its room.
    ///
    /// # Errors
    ///
    /// An earlier error ended this writer, or the system refuses.
    pub fn roll_back(&mut self) -> Result<(), WriteIndexError> {
        self.check_ended()?;
        if let Some(generation) = &self.generation {
            self.manifest = generation.manifest.clone();
        }
        self.begin();
        let removed = self.remove_old_files().map_err(|error| self.cannot_write(error));
        self.ending(removed)
    }

    /// What files of the next generation are called before the dot.
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

    /// Remembers that an error lost what was not committed.
    fn ending<T>(&mut self, result: Result<T, WriteIndexError>) -> Result<T, WriteIndexError> {
        self.ended |= result.is_err();
        result
    }
}

impl Drop for Writer {
    /// Gives back the room of what was not committed.
    fn drop(&mut self) {
        self.builder = None;
        // what cannot go now goes with the next writer
        let _ = self.remove_old_files();
    }
}

impl Pending {
    fn new(segment: &Arc<Segment>) -> Self {
        Self { segment: Arc::clone(segment), deleted: segment.deleted.clone() }
    }
}
