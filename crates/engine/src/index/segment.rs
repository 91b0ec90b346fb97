//! Documents that were added together: their ids, their views, and the lists of these.
//!
//! All data stays in mapped files. Invariants that keep every access within bounds are checked when
//! the files are opened. Where such a check would read all views, accesses are checked instead, and
//! return `None` where a file is damaged.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fastlane_durable::{Difference, FileEntry};

use crate::codec::{Coder, RowScratch};
use crate::lists::block_bytes;
use fastlane_kernels::search::f16;

use super::bits::Bits;
use super::error::OpenIndexError;
use super::manifest::{IndexSettings, ListsEntry, RowsEntry, SegmentEntry};
use super::mapped::Mapped;

/// A segment of a generation.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) entry: SegmentEntry,
    ids: Mapped,
    id_ends: Mapped,
    order: Mapped,
    pub(crate) views: StoredRows,
    pub(crate) tokens: Option<StoredRows>,
    pub(crate) lists: Option<Lists>,
    pub(crate) deleted: Bits,
}

impl Segment {
    /// Maps the files, and checks that they are consistent.
    pub(crate) fn open(
        directory: &Path,
        entry: &SegmentEntry,
        settings: &IndexSettings,
        lists: usize,
    ) -> Result<Self, OpenIndexError> {
        let open = FileOpener { directory };
        let documents = entry.documents as usize;
        let coder = |dim| Coder::new(settings.store, dim);
        let rows = |entry: &RowsEntry, dim| StoredRows::open(&open, entry, documents, coder(dim));
        let views = rows(&entry.views, settings.dim)?;
        let tokens = match (&entry.tokens, settings.token_dim) {
            (Some(tokens), Some(dim)) => Some(rows(tokens, dim)?),
            _ => None,
        };
        let segment = Self {
            ids: open.map(&entry.ids)?,
            id_ends: open.counted::<u64>(&entry.id_ends, documents)?,
            order: open.counted::<u32>(&entry.order, documents)?,
            lists: match &entry.lists {
                Some(entry) => Some(Lists::open(&open, entry, lists, &views)?),
                None => None,
            },
            deleted: open.deleted(entry)?,
            views,
            tokens,
            entry: entry.clone(),
        };
        open.ascending(&entry.id_ends, segment.id_ends.numbers(), segment.ids.bytes().len())?;
        Ok(segment)
    }

    pub(crate) fn documents(&self) -> usize {
        self.entry.documents as usize
    }

    /// The views that late interaction scores with.
    pub(crate) fn scoring(&self) -> &StoredRows {
        self.tokens.as_ref().unwrap_or(&self.views)
    }

    /// The documents that are not deleted.
    pub(crate) fn live(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.documents()).filter(|&document| !self.deleted.has(document))
    }

    /// The id of a document.
    pub(crate) fn id(&self, document: usize) -> Option<&str> {
        let range = range(self.id_ends.numbers(), document)?;
        std::str::from_utf8(self.ids.bytes().get(range)?).ok()
    }

    /// The last document with this id, deleted or not; only the last one can be live.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        let order = self.order.numbers::<u32>();
        let not_after = |&document: &u32| self.id(document as usize).is_some_and(|it| it <= id);
        let place = order.partition_point(not_after).checked_sub(1)?;
        let document = *order.get(place)? as usize;
        (self.id(document)? == id).then_some(document)
    }

    /// The documents in the order of their ids.
    pub(crate) fn order(&self) -> &[u32] {
        self.order.numbers()
    }
}

/// Views, document after document.
#[derive(Debug)]
pub(crate) struct StoredRows {
    pub(crate) path: PathBuf,
    coder: Coder,
    rows: Mapped,
    ends: Mapped,
    positions: Option<Mapped>,
    /// The document of every `STRIDE`-th view: where the search for a view's document starts.
    landmarks: Vec<u32>,
}

/// Views between two landmarks.
const STRIDE: usize = 64;

impl StoredRows {
    fn open(
        open: &FileOpener<'_>,
        entry: &RowsEntry,
        documents: usize,
        coder: Coder,
    ) -> Result<Self, OpenIndexError> {
        let ends = open.counted::<u64>(&entry.ends, documents)?;
        let count = ends.numbers::<u64>().last().map_or(0, |&end| end);
        let rows = open.map(&entry.rows)?;
        if count.checked_mul(coder.row_bytes() as u64) != Some(entry.rows.bytes) {
            let what = format!("it has {} bytes, wanted {count} views", entry.rows.bytes);
            return Err(open.damaged(&entry.rows, what));
        }
        open.ascending(&entry.ends, ends.numbers(), count as usize)?;
        let landmarks = landmarks(ends.numbers());
        let positions = entry.positions.as_ref();
        let positions = positions.map(|file| open.counted::<u32>(file, count as usize));
        let path = open.directory.join(&entry.rows.name);
        Ok(Self { path, coder, rows, ends, positions: positions.transpose()?, landmarks })
    }

    /// How many views there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.bytes().len() / self.coder.row_bytes()
    }

    /// The range of a document's views.
    pub(crate) fn of(&self, document: usize) -> Option<Range<usize>> {
        range(self.ends.numbers(), document)
    }

    /// The dimension of a view.
    pub(crate) fn dim(&self) -> usize {
        self.coder.dim()
    }

    /// Some views as encoded rows.
    pub(crate) fn bytes(&self, views: Range<usize>) -> Option<&[u8]> {
        self.rows.bytes().get(self.place(&views))
    }

    /// Some views as halves, for products with vectors that were [rotated](Self::turn).
    pub(crate) fn read<'a>(
        &'a self,
        views: Range<usize>,
        scratch: &'a mut RowScratch,
    ) -> Option<&'a [f16]> {
        Some(self.coder.read(self.bytes(views)?, scratch))
    }

    /// Rotates vectors as the rows are rotated.
    pub(crate) fn rotate(&self, vectors: &mut [f32]) {
        self.coder.rotate(vectors);
    }

    /// Decodes some views and appends them: the originals, up to the loss of the codec.
    ///
    /// # Errors
    ///
    /// The views are not within the segment.
    pub(crate) fn decode(&self, views: Range<usize>, into: &mut Vec<f32>) -> io::Result<()> {
        let outside =
            || io::Error::new(io::ErrorKind::InvalidData, "a view is outside of its file");
        self.coder.decode(self.bytes(views).ok_or_else(outside)?, into);
        Ok(())
    }

    fn place(&self, views: &Range<usize>) -> Range<usize> {
        views.start * self.coder.row_bytes()..views.end * self.coder.row_bytes()
    }

    /// The positions of some views among those that their document was added with; empty if all
    /// were kept.
    pub(crate) fn positions(&self, views: Range<usize>) -> Option<&[u32]> {
        self.positions.as_ref()?.numbers().get(views)
    }

    /// Releases the memory of some views until they are read again.
    pub(crate) fn release(&self, views: Range<usize>) {
        self.rows.release(self.place(&views));
    }

    /// The document that a view belongs to.
    pub(crate) fn document(&self, view: usize) -> Option<usize> {
        let ends = self.ends.numbers::<u64>();
        let from = *self.landmarks.get(view / STRIDE)? as usize;
        let to = self.landmarks.get(view / STRIDE + 1).map_or(ends.len(), |&to| to as usize + 1);
        Some(from + ends.get(from..to)?.partition_point(|&end| end as usize <= view))
    }
}

fn landmarks(ends: &[u64]) -> Vec<u32> {
    let count = ends.last().map_or(0, |&end| end as usize);
    let mut landmarks = Vec::with_capacity(count.div_ceil(STRIDE));
    let mut document = 0;
    for view in (0..count).step_by(STRIDE) {
        while ends[document] as usize <= view {
            document += 1;
        }
        landmarks.push(document as u32);
    }
    landmarks
}

/// The views of a segment, grouped by centroid.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) path: PathBuf,
    ends: Mapped,
    codes: Mapped,
    factors: Mapped,
    numbers: Mapped,
}

impl Lists {
    fn open(
        open: &FileOpener<'_>,
        entry: &ListsEntry,
        lists: usize,
        views: &StoredRows,
    ) -> Result<Self, OpenIndexError> {
        let ends = open.counted::<u64>(&entry.ends, lists)?;
        open.ascending(&entry.ends, ends.numbers(), views.len())?;
        let blocks = views.len().div_ceil(crate::lists::BLOCK);
        Ok(Self {
            path: open.directory.join(&entry.numbers.name),
            codes: open.counted::<u8>(&entry.codes, blocks * block_bytes(views.dim()))?,
            factors: open.counted::<f32>(&entry.factors, views.len())?,
            numbers: open.counted::<u32>(&entry.numbers, views.len())?,
            ends,
        })
    }

    /// The positions of a list among the codes; empty if there is no such list.
    pub(crate) fn places(&self, list: usize) -> Range<usize> {
        range(self.ends.numbers(), list).unwrap_or_default()
    }

    pub(crate) fn codes(&self) -> &[u8] {
        self.codes.bytes()
    }

    pub(crate) fn factors(&self) -> &[f32] {
        self.factors.numbers()
    }

    /// The view number of each code.
    pub(crate) fn numbers(&self) -> &[u32] {
        self.numbers.numbers()
    }
}

/// The range from the previous end to the end at `index`.
fn range(ends: &[u64], index: usize) -> Option<Range<usize>> {
    let end = *ends.get(index)? as usize;
    let start = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
    Some(start..end)
}

/// Opens files of one directory.
struct FileOpener<'a> {
    directory: &'a Path,
}

impl FileOpener<'_> {
    fn damaged(&self, file: &FileEntry, what: String) -> OpenIndexError {
        OpenIndexError::Damaged { path: self.directory.join(&file.name), what }
    }

    fn map(&self, file: &FileEntry) -> Result<Mapped, OpenIndexError> {
        Mapped::open(self.directory, file).map_err(|source| match source.kind() {
            std::io::ErrorKind::InvalidData => self.damaged(file, source.to_string()),
            std::io::ErrorKind::NotFound => self.damaged(file, Difference::Absent.to_string()),
            _ => OpenIndexError::Read { path: self.directory.join(&file.name), source },
        })
    }

    /// Opens a file and checks how many numbers it has.
    fn counted<T>(&self, file: &FileEntry, count: usize) -> Result<Mapped, OpenIndexError> {
        if file.bytes != (count * size_of::<T>()) as u64 {
            let what = format!("it has {} bytes, wanted {count} values", file.bytes);
            return Err(self.damaged(file, what));
        }
        self.map(file)
    }

    /// Checks that ends never decrease, and that the last one is `end`.
    fn ascending(&self, file: &FileEntry, ends: &[u64], end: usize) -> Result<(), OpenIndexError> {
        let last = ends.last().map_or(0, |&last| last);
        if ends.is_sorted() && last == end as u64 {
            return Ok(());
        }
        Err(self.damaged(file, format!("its ends do not ascend to {end}")))
    }

    fn deleted(&self, entry: &SegmentEntry) -> Result<Bits, OpenIndexError> {
        let documents = entry.documents as usize;
        let Some(deleted) = &entry.deleted else { return Ok(Bits::new(documents)) };
        let words = self.counted::<u64>(&deleted.bits, documents.div_ceil(64))?;
        let bits = Bits::of(documents, words.numbers().to_vec());
        match bits.count() == deleted.documents as usize {
            true => Ok(bits),
            false => {
                let what = format!("it has {} bits, wanted {}", bits.count(), deleted.documents);
                Err(self.damaged(&deleted.bits, what))
            }
        }
    }
}
