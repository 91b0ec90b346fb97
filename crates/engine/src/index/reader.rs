//! One generation of an index, open for search.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane_durable::FileEntry;
use serde::Serialize;

use super::error::OpenIndexError;
use super::manifest::{
    CURRENT, IndexSettings, Manifest, PartitionEntry, SegmentEntry, current_name, file_name,
    is_later, is_ours,
};
use super::partition::CoarseQuantizer;
use super::problem::{Problem, check_file};
use super::segment::Segment;

/// A generation: the result of one commit.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) directory: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) quantizer: Option<Arc<CoarseQuantizer>>,
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Distinguishes it from other generations, and from those of other indexes.
    pub(crate) identity: u32,
    /// A shared lock, so that no writer removes the files.
    _lock: File,
}

impl Generation {
    /// Opens the current generation, and reuses what it shares with an earlier one.
    pub(crate) fn open(directory: &Path, before: Option<&Self>) -> Result<Self, OpenIndexError> {
        Self::of(directory, Manifest::current(directory)?, before)
    }

    /// Opens the generation of a manifest that is locked.
    pub(crate) fn of(
        directory: &Path,
        (manifest, lock): (Manifest, File),
        before: Option<&Self>,
    ) -> Result<Self, OpenIndexError> {
        let quantizer = match &manifest.partition {
            Some(entry) => Some(Self::quantizer(directory, entry, manifest.settings.dim, before)?),
            None => None,
        };
        let lists = quantizer.as_ref().map_or(0, |quantizer| quantizer.partition.lists());
        let old = before.map_or(&[][..], |before| &before.segments);
        let open = |entry: &SegmentEntry| match old.iter().find(|old| old.entry == *entry) {
            Some(same) => Ok(Arc::clone(same)),
            None => Segment::open(directory, entry, &manifest.settings, lists).map(Arc::new),
        };
        let segments = manifest.segments.iter().map(open).collect::<Result<_, _>>()?;
        let identity = manifest.identity();
        let directory = directory.to_owned();
        Ok(Self { directory, manifest, quantizer, segments, identity, _lock: lock })
    }

    fn quantizer(
        directory: &Path,
        entry: &PartitionEntry,
        dim: usize,
        before: Option<&Self>,
    ) -> Result<Arc<CoarseQuantizer>, OpenIndexError> {
        match before {
            Some(Self { manifest, quantizer: Some(quantizer), .. })
                if manifest.partition.as_ref() == Some(entry) =>
            {
                Ok(Arc::clone(quantizer))
            }
            _ => CoarseQuantizer::open(directory, entry, dim).map(Arc::new),
        }
    }

    /// Compares the checksums of the files in which a writer looks up ids: damage there would
    /// spread.
    pub(crate) fn trust_ids(&self) -> Result<(), OpenIndexError> {
        let files = self.manifest.segments.iter();
        let files = files.flat_map(|segment| [&segment.ids, &segment.id_ends, &segment.order]);
        files.into_iter().try_for_each(|file| trust(&self.directory, file))
    }

    /// The segment and the number of a document that is not deleted.
    pub(crate) fn find(&self, id: &str) -> Option<(usize, usize)> {
        self.segments.iter().enumerate().find_map(|(number, segment)| {
            let document = segment.find(id).filter(|&found| !segment.deleted.has(found))?;
            Some((number, document))
        })
    }
}

/// Compares a file with its checksum.
pub(crate) fn trust(directory: &Path, file: &FileEntry) -> Result<(), OpenIndexError> {
    match check_file(directory, file, &mut |_| true)? {
        None => Ok(()),
        Some(Problem { path, what }) => Err(OpenIndexError::Damaged { path, what }),
    }
}

/// Searches one generation of an index. Any number of readers may run, in any number of processes.
#[derive(Debug)]
pub struct Reader {
    pub(crate) generation: Generation,
}

/// The statistics of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Statistics {
    /// The number of the last commit.
    pub generation: u64,
    /// Documents that can be found by their ids.
    pub documents: u64,
    /// Documents that are deleted but still take room.
    pub deleted: u64,
    /// Views that are searched, those of deleted documents included.
    pub views: u64,
    /// Separate token views.
    pub token_views: u64,
    /// Sets of documents that were added together.
    pub segments: usize,
    /// The number of lists; 0 while there are few views.
    pub lists: usize,
    /// Bytes that every search may touch: codes, their factors and numbers, centroids.
    pub hot_bytes: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Reader {
    /// Opens the current generation.
    ///
    /// Checksums are not compared, so that opening is fast: see [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// There is no index, or one of its files is absent or does not fit the others.
    pub fn open(directory: &Path) -> Result<Self, OpenIndexError> {
        Ok(Self { generation: Generation::open(directory, None)? })
    }

    /// Moves to the current generation, and returns whether it is another one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then the reader keeps its generation.
    pub fn refresh(&mut self) -> Result<bool, OpenIndexError> {
        let newer = self.newer()?;
        let moved = newer.is_some();
        newer.into_iter().for_each(|newer| *self = newer);
        Ok(moved)
    }

    /// Opens the current generation as a new reader, unless this reader already has it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn newer(&self) -> Result<Option<Self>, OpenIndexError> {
        let before = &self.generation;
        if current_name(&before.directory)? == file_name(before.manifest.generation) {
            return Ok(None);
        }
        let generation = Generation::open(&before.directory, Some(before))?;
        Ok(Some(Self { generation }))
    }

    /// Returns whether an index has files of such a name.
    pub fn is_file_name(name: &str) -> bool {
        is_ours(name)
    }

    /// Returns whether these names in a directory show that an index was committed there, whole or
    /// not.
    pub fn was_committed<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| name == CURRENT || is_later(name))
    }

    /// The number of the commit that is open.
    pub fn generation(&self) -> u64 {
        self.generation.manifest.generation
    }

    /// The settings that were fixed when the index was created.
    pub fn settings(&self) -> &IndexSettings {
        &self.generation.manifest.settings
    }

    /// Returns whether there is a document with this id.
    pub fn contains(&self, id: &str) -> bool {
        self.generation.find(id).is_some()
    }

    /// All ids; those of one commit in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let segments = self.generation.segments.iter();
        segments.flat_map(|segment| segment.live().filter_map(|document| segment.id(document)))
    }

    /// The file of an attachment.
    pub fn attachment(&self, name: &str) -> Option<PathBuf> {
        let entry = self.generation.manifest.attachments.get(name)?;
        Some(self.generation.directory.join(&entry.name))
    }

    /// The statistics of the index.
    pub fn statistics(&self) -> Statistics {
        let Generation { manifest, quantizer, segments, .. } = &self.generation;
        let deleted = manifest.segments.iter().map(|entry| u64::from(entry.deleted())).sum();
        let all: u64 = manifest.segments.iter().map(|entry| u64::from(entry.documents)).sum();
        let lists = manifest.segments.iter().filter_map(|segment| segment.lists.as_ref());
        let codes = lists.map(|lists| {
            [&lists.codes, &lists.factors, &lists.numbers, &lists.ends].map(|file| file.bytes)
        });
        let centroids = manifest.partition.as_ref().map_or(0, |entry| entry.file.bytes);
        Statistics {
            generation: manifest.generation,
            documents: all - deleted,
            deleted,
            views: segments.iter().map(|segment| segment.views.len() as u64).sum(),
            token_views: segments
                .iter()
                .filter_map(|segment| segment.tokens.as_ref())
                .map(|tokens| tokens.len() as u64)
                .sum(),
            segments: segments.len(),
            lists: quantizer.as_ref().map_or(0, |quantizer| quantizer.partition.lists()),
            hot_bytes: codes.flatten().sum::<u64>() + centroids,
            bytes: manifest.files().iter().map(|file| file.bytes).sum(),
        }
    }
}
