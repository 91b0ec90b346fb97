//! Commits: builds lists, merges segments, and makes a new manifest current.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fastlane_durable::{try_lock, write_file};

use super::{Pending, Writer};
use crate::index::error::{OpenIndexError, WriteIndexError};
use crate::index::list_builder::{OnProgress, Plan, build_lists};
use crate::index::manifest::{
    CURRENT, DeletedEntry, ListsEntry, Manifest, PartitionEntry, RowsEntry, SegmentEntry,
    file_name, is_ours,
};
use crate::index::partition::{
    CoarseQuantizer, is_out_of_balance, is_outgrown, list_lengths, longest,
};
use crate::index::reader::{Generation, trust};
use crate::index::segment::{Segment, StoredRows};
use crate::index::segment_writer::{KeptViews, Views};

impl Writer {
    /// Commits all changes, all or nothing, and returns the number of the generation.
    ///
    /// Without changes since the last commit, nothing is written.
    ///
    /// # Errors
    ///
    /// An I/O call fails: the last commit stays current, and this writer cannot be used any more.
    pub fn commit(&mut self) -> Result<u64, WriteIndexError> {
        self.commit_watched(&mut |_| Ok(()))
    }

    /// Commits, and calls `on_progress` now and then with the number of views listed since its last call.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit); an error of `on_progress` ends the writer in the same way.
    pub fn commit_watched(
        &mut self,
        on_progress: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Result<u64, WriteIndexError> {
        self.check_ended()?;
        if self.is_unchanged() {
            return Ok(self.manifest.generation);
        }
        let committed = self.write_generation(on_progress);
        self.ending(committed)
    }

    /// Rewrites all documents into as few segments as possible, without deleted ones, and commits.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn compact(&mut self) -> Result<u64, WriteIndexError> {
        self.compact_watched(&mut |_| Ok(()))
    }

    /// Compacts, and reports progress as [`commit_watched`](Self::commit_watched) does.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit); an error of `on_progress` ends the writer in the same way.
    pub fn compact_watched(
        &mut self,
        on_progress: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> Result<u64, WriteIndexError> {
        self.check_ended()?;
        if self.is_compact() {
            return self.commit_watched(on_progress);
        }
        let compacted =
            self.seal().and_then(|()| self.merge(on_progress, |_| true)).and_then(|()| {
                // centroids for the views that remain, or none for few views
                self.manifest.partition = None;
                self.write_generation(on_progress)
            });
        self.ending(compacted)
    }

    fn is_unchanged(&self) -> bool {
        let Some(generation) = &self.generation else { return false };
        let same = |(pending, segment): (&Pending, &Arc<Segment>)| {
            Arc::ptr_eq(&pending.segment, segment) && pending.deleted == segment.deleted
        };
        let attachments = &generation.manifest.attachments;
        self.open_segment.is_none()
            && self.attachments.is_empty()
            && self.manifest.attachments == *attachments
            && self.manifest.settings == generation.manifest.settings
            && self.segments.len() == generation.segments.len()
            && self.segments.iter().zip(&generation.segments).all(same)
    }

    /// Whether there is at most one segment, without deleted documents.
    fn is_compact(&self) -> bool {
        let nothing = |pending: &Pending| pending.deleted.count() == 0;
        self.open_segment.is_none() && self.segments.len() <= 1 && self.segments.iter().all(nothing)
    }

    /// Completes the segment that is being written.
    pub(super) fn seal(&mut self) -> Result<(), WriteIndexError> {
        let Some(segment) = self.open_segment.take() else { return Ok(()) };
        let entry = segment.finish(&*self.storage).map_err(|error| self.cannot_write(error))?;
        let segment = Segment::open(&self.directory, &entry, &self.manifest.settings, 0);
        self.segments.push(Pending::new(&Arc::new(segment.map_err(of_open)?)));
        Ok(())
    }

    /// Merges small segments once there are many of about the same size, together with all smaller
    /// ones.
    ///
    /// A search visits every segment, so merges keep their number low: a document is copied a few
    /// times in its life.
    fn merge_small(&mut self, on_progress: OnProgress<'_>) -> Result<(), WriteIndexError> {
        let sizes = |writer: &Self| writer.segments.iter().filter_map(size).collect::<Vec<_>>();
        let sizes = sizes(self);
        let many = |&size: &u32| sizes.iter().filter(|&&other| other == size).count() >= MANY;
        match sizes.iter().copied().filter(many).max() {
            None => Ok(()),
            Some(most) => {
                self.merge(on_progress, |pending| size(pending).is_some_and(|size| size <= most))
            }
        }
    }

    /// Copies the documents of some segments into new ones.
    fn merge(
        &mut self,
        on_progress: OnProgress<'_>,
        wanted: impl Fn(&Pending) -> bool,
    ) -> Result<(), WriteIndexError> {
        let all = std::mem::take(&mut self.segments);
        let (old, others): (Vec<_>, Vec<_>) = all.into_iter().partition(wanted);
        self.segments = others;
        for Pending { segment, .. } in &old {
            let rows = std::iter::once(&segment.entry.views).chain(&segment.entry.tokens);
            for file in rows.flat_map(RowsEntry::files) {
                trust(&self.directory, file).map_err(of_open)?;
            }
        }
        for Pending { segment, deleted } in &old {
            on_progress(0).map_err(|error| self.cannot_write(error))?;
            let mut walk = SegmentMerge::default();
            for document in (0..segment.documents()).filter(|&document| !deleted.has(document)) {
                let damaged = || WriteIndexError::Damaged {
                    path: segment.views.path.clone(),
                    what: format!("document {document} lies outside of its files"),
                };
                let id = segment.id(document).ok_or_else(damaged)?;
                let read = |rows| read(rows, document).ok_or_else(damaged);
                let tokens = segment.tokens.as_ref().map(read).transpose()?;
                self.write_document(id, read(&segment.views)?, tokens)?;
                walk.pass(segment, document);
            }
        }
        self.seal()
    }

    fn write_generation(&mut self, on_progress: OnProgress<'_>) -> Result<u64, WriteIndexError> {
        self.seal()?;
        self.merge_small(on_progress)?;
        self.segments.retain(|pending| pending.deleted.count() < pending.segment.documents());
        let mut manifest = self.manifest.clone();
        manifest.generation += 1;
        manifest.attachments.extend(self.attachments.drain(..));
        self.write_segments(&mut manifest, on_progress)?;
        manifest.commit(&*self.storage).map_err(|error| self.cannot_write(error))?;
        let before = self.generation.as_ref();
        self.generation = Some(Generation::open(&self.directory, before).map_err(of_open)?);
        self.manifest = manifest;
        self.begin();
        // files that cannot be removed now are removed by a later commit; this one is done
        let _ = self.remove_old_files();
        Ok(self.manifest.generation)
    }

    /// Writes the lists of all segments, and once more if they are out of balance.
    fn write_segments(
        &mut self,
        manifest: &mut Manifest,
        on_progress: OnProgress<'_>,
    ) -> Result<(), WriteIndexError> {
        let numbers = 0..self.segments.len();
        let deleted: Vec<_> = numbers.map(|one| self.deleted(one)).collect::<Result<_, _>>()?;
        loop {
            let quantizer = self.quantizer(manifest, on_progress)?;
            let kept = manifest.partition == self.manifest.partition;
            manifest.segments.clear();
            for (number, deleted) in deleted.iter().enumerate() {
                let lists = match &quantizer {
                    None => None,
                    Some(quantizer) => Some(self.lists(number, quantizer, kept, on_progress)?),
                };
                let (entry, deleted) = (&self.segments[number].segment.entry, deleted.clone());
                manifest.segments.push(SegmentEntry { lists, deleted, ..entry.clone() });
            }
            let lengths = list_lengths(&self.directory, &manifest.segments);
            let lengths = lengths.map_err(|error| self.cannot_write(error))?;
            match &mut manifest.partition {
                Some(partition) if kept && is_out_of_balance(partition, &lengths) => {
                    manifest.partition = None;
                }
                Some(partition) if !kept => {
                    partition.longest = longest(&lengths);
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
    }

    /// The coarse quantiser of the next generation: the current one, or a new one.
    fn quantizer(
        &mut self,
        manifest: &mut Manifest,
        on_progress: OnProgress<'_>,
    ) -> Result<Option<Arc<CoarseQuantizer>>, WriteIndexError> {
        let rows: Vec<_> = self.segments.iter().map(|pending| &pending.segment.views).collect();
        let views = rows.iter().map(|rows| rows.len() as u64).sum();
        if !is_outgrown(manifest.partition.as_ref(), views, self.settings.lists_from) {
            let old = self.generation.as_ref().filter(|_| manifest.partition.is_some());
            return Ok(old.and_then(|generation| generation.quantizer.clone()));
        }
        let (dim, seed) = (manifest.settings.dim, self.settings.seed);
        let memory = self.settings.memory / 4;
        let train = |stop: &AtomicBool| {
            self.pool.install(|| CoarseQuantizer::train(dim, &rows, seed, memory, stop))
        };
        let quantizer = with_progress(train, on_progress)
            .flatten()
            .map_err(|error| self.cannot_write(error))?;
        let name = format!("{}.centroids", self.stem());
        let file = write_file(&*self.storage, &name, &quantizer.partition.to_bytes());
        let file = file.map_err(|error| self.cannot_write(error))?;
        manifest.partition = Some(PartitionEntry { file, views, longest: 0, seed });
        Ok(Some(Arc::new(quantizer)))
    }

    /// The lists of a segment: the existing ones if the centroids have not changed, or new ones.
    fn lists(
        &mut self,
        number: usize,
        quantizer: &CoarseQuantizer,
        kept: bool,
        on_progress: OnProgress<'_>,
    ) -> Result<ListsEntry, WriteIndexError> {
        let segment = Arc::clone(&self.segments[number].segment);
        if let (true, Some(lists)) = (kept, &segment.entry.lists) {
            return Ok(lists.clone());
        }
        let stem = self.stem();
        let (storage, pool, memory) = (&*self.storage, &self.pool, self.settings.memory / 4);
        let plan = Plan { storage, stem: &stem, quantizer, pool, memory };
        let lists = build_lists(&plan, &segment.views, on_progress);
        lists.map_err(|error| self.cannot_write(error))
    }

    /// The deletions of a segment, written if there are new ones.
    fn deleted(&mut self, number: usize) -> Result<Option<DeletedEntry>, WriteIndexError> {
        let stem = self.stem();
        let Pending { segment, deleted } = &self.segments[number];
        if *deleted == segment.deleted {
            return Ok(segment.entry.deleted.clone());
        }
        let bits = write_file(&*self.storage, &format!("{stem}.deleted"), deleted.bytes());
        let bits = bits.map_err(|error| self.cannot_write(error))?;
        Ok(Some(DeletedEntry { bits, documents: deleted.count() as u32 }))
    }

    /// Removes the files of generations that no reader has open, and files that a crash left.
    pub(super) fn remove_old_files(&self) -> io::Result<()> {
        let mut kept: HashSet<String> = [CURRENT, crate::index::LOCK].map(str::to_owned).into();
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        // the current generation, even if this writer could not open it
        if Manifest::is_there(&self.directory).map_err(io::Error::other)? {
            let (current, _lock) = Manifest::current(&self.directory).map_err(io::Error::other)?;
            keep(&mut kept, &current);
        }
        let mut locked = Vec::new();
        let manifests: Vec<&String> =
            names.iter().filter(|name| is_manifest(name) && !kept.contains(*name)).collect();
        for name in manifests {
            let file = File::open(self.directory.join(name))?;
            match try_lock(file, false) {
                Some(lock) => locked.push(lock),
                // a reader has it open: its files stay for now
                None => {
                    if let Ok(Some(manifest)) = Manifest::read(&self.directory, name) {
                        keep(&mut kept, &manifest);
                    }
                }
            }
        }
        for name in names.iter().filter(|name| is_ours(name) && !kept.contains(*name)) {
            self.storage.remove(name)?;
        }
        Ok(())
    }
}

fn is_manifest(name: &str) -> bool {
    name.strip_prefix("generation-").is_some_and(|rest| !rest.contains('.'))
}

fn keep(kept: &mut HashSet<String>, manifest: &Manifest) {
    kept.insert(file_name(manifest.generation));
    kept.extend(manifest.files().into_iter().map(|file| file.name.clone()));
}

/// Runs work on a thread while this one calls `on_progress`; sets the stop flag of the work if that
/// fails.
fn with_progress<T: Send>(
    work: impl FnOnce(&AtomicBool) -> T + Send,
    on_progress: OnProgress<'_>,
) -> io::Result<T> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (give, take) = channel::<()>();
        let thread = scope.spawn(|| {
            let done = work(&stop);
            drop(give);
            done
        });
        let mut result = Ok(());
        // the channel closes when the work ends, even by a panic
        while take.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if result.is_ok() {
                result = on_progress(0);
                stop.store(result.is_err(), Ordering::Relaxed);
            }
        }
        let done = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        result.map(|()| done)
    })
}

/// How often `on_progress` is called during work that reports no counts.
const LOOK: Duration = Duration::from_millis(50);
/// This many segments of about the same size are merged.
const MANY: usize = 8;
/// Segments with more views are not merged: copying them would take long.
const MOST_VIEWS: usize = 250_000;

/// The size of a segment: 1 for up to 3 documents, 2 for up to 15, and so on; none for large ones.
fn size(pending: &Pending) -> Option<u32> {
    let documents = pending.segment.documents() - pending.deleted.count();
    let small = pending.segment.views.len() < MOST_VIEWS;
    small.then(|| (documents.max(1) as f64).log(4.0) as u32)
}

/// Releases the memory of views that a merge has passed.
#[derive(Default)]
struct SegmentMerge {
    passed: [usize; 2],
}

impl SegmentMerge {
    /// Views that are released together.
    const MANY: usize = 1 << 16;

    fn pass(&mut self, segment: &Segment, document: usize) {
        let sets = [Some(&segment.views), segment.tokens.as_ref()];
        for (passed, rows) in self.passed.iter_mut().zip(sets) {
            let views = rows.and_then(|rows| Some((rows, rows.of(document)?)));
            if let Some((rows, views)) = views.filter(|(_, views)| views.end > *passed + Self::MANY)
            {
                rows.release(*passed..views.end);
                *passed = views.end;
            }
        }
    }
}

/// The views of a document as encoded rows.
fn read(rows: &StoredRows, document: usize) -> Option<KeptViews<'_>> {
    let views = rows.of(document)?;
    let positions = rows.positions(views.clone());
    Some(KeptViews { views: Views::Stored(rows.bytes(views)?), positions })
}

/// The writer's error for files that it just wrote, or current files, that cannot be opened.
fn of_open(error: OpenIndexError) -> WriteIndexError {
    match error {
        OpenIndexError::Damaged { path, what } => WriteIndexError::Damaged { path, what },
        OpenIndexError::Read { path, source } => WriteIndexError::Write { path, source },
        other => WriteIndexError::Damaged { path: "CURRENT".into(), what: other.to_string() },
    }
}
