//! Writes the documents of a new segment as they are added; its lists are built later.

use std::collections::HashMap;
use std::io;

use fastlane_durable::{Output, Storage, write_file};

use crate::TokenMatrix;
use crate::codec::{Coder, RowScratch};

use super::bits::Bits;
use super::manifest::{DeletedEntry, IndexSettings, RowsEntry, SegmentEntry};

/// The views of a document that are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptViews<'a> {
    pub(crate) views: Views<'a>,
    /// Their positions among those that the document was added with, ascending; `None` if all are
    /// kept.
    pub(crate) positions: Option<&'a [u32]>,
}

/// Views to store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Views<'a> {
    New(&'a TokenMatrix),
    /// Copied byte by byte, so that merges lose nothing.
    Stored(&'a [u8]),
}

/// A segment that is being written.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    /// The file names up to the dot.
    stem: String,
    ids: Vec<u8>,
    id_ends: Vec<u64>,
    views: RowsOutput,
    tokens: Option<RowsOutput>,
    /// The last document of each hash of an id, and the earlier ones with the same hash.
    by_hash: HashMap<u64, Vec<u32>>,
    deleted: Vec<u32>,
}

impl SegmentWriter {
    pub(crate) fn new(
        storage: &dyn Storage,
        stem: String,
        settings: &IndexSettings,
    ) -> io::Result<Self> {
        let rows = |what, dim| {
            let coder = Coder::new(settings.store, dim);
            RowsOutput::new(storage, format!("{stem}.{what}"), coder)
        };
        Ok(Self {
            ids: Vec::new(),
            id_ends: Vec::new(),
            views: rows("views", settings.dim)?,
            tokens: settings.token_dim.map(|dim| rows("tokens", dim)).transpose()?,
            by_hash: HashMap::new(),
            deleted: Vec::new(),
            stem,
        })
    }

    /// The number of documents.
    pub(crate) fn documents(&self) -> usize {
        self.id_ends.len()
    }

    /// The number of documents that are not deleted.
    pub(crate) fn live(&self) -> usize {
        self.documents() - self.deleted.len()
    }

    /// The number of views.
    pub(crate) fn views(&self) -> usize {
        self.views.count as usize
    }

    /// The approximate memory in use, in bytes.
    pub(crate) fn memory(&self) -> usize {
        // a hash with its one-element list takes some 80 bytes
        self.ids.len() + self.documents() * (3 * size_of::<u64>() + 80)
    }

    /// Adds a document whose views were checked, and whose id is not yet in the segment.
    pub(crate) fn add(
        &mut self,
        storage: &dyn Storage,
        id: &str,
        views: KeptViews<'_>,
        tokens: Option<KeptViews<'_>>,
    ) -> io::Result<()> {
        self.views.add(storage, views)?;
        if let (Some(output), Some(tokens)) = (&mut self.tokens, tokens) {
            output.add(storage, tokens)?;
        }
        let document = self.id_ends.len() as u32;
        self.ids.extend(id.as_bytes());
        self.id_ends.push(self.ids.len() as u64);
        self.by_hash.entry(hash(id)).or_default().push(document);
        Ok(())
    }

    /// Deletes a document and returns whether it was there.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        let Some(documents) = self.by_hash.get_mut(&hash(id)) else { return false };
        let same = |&document: &u32| id_of(&self.ids, &self.id_ends, document) == id.as_bytes();
        let Some(place) = documents.iter().position(same) else { return false };
        self.deleted.push(documents.swap_remove(place));
        true
    }

    /// Writes the remaining files, and makes everything durable.
    pub(crate) fn finish(self, storage: &dyn Storage) -> io::Result<SegmentEntry> {
        let Self { stem, ids, id_ends, views, tokens, deleted, .. } = self;
        let documents = id_ends.len();
        let mut order: Vec<u32> = (0..documents as u32).collect();
        // of several documents with one id, only the last can be live
        order.sort_by(|&a, &b| {
            let of = |document| id_of(&ids, &id_ends, document);
            of(a).cmp(of(b)).then(a.cmp(&b))
        });
        let write =
            |what: &str, bytes: &[u8]| write_file(storage, &format!("{stem}.{what}"), bytes);
        let mut bits = Bits::new(documents);
        for document in deleted {
            bits.add(document as usize);
        }
        Ok(SegmentEntry {
            documents: documents as u32,
            ids: write("ids", &ids)?,
            id_ends: write("id-ends", bytemuck::cast_slice(&id_ends))?,
            order: write("order", bytemuck::cast_slice(&order))?,
            views: views.finish(storage)?,
            tokens: tokens.map(|tokens| tokens.finish(storage)).transpose()?,
            lists: None,
            deleted: match bits.count() {
                0 => None,
                count => Some(DeletedEntry {
                    bits: write("deleted", bits.bytes())?,
                    documents: count as u32,
                }),
            },
        })
    }
}

fn id_of<'a>(ids: &'a [u8], ends: &[u64], document: u32) -> &'a [u8] {
    let document = document as usize;
    let start = document.checked_sub(1).map_or(0, |before| ends[before] as usize);
    &ids[start..ends[document] as usize]
}

fn hash(id: &str) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

/// The views of one kind.
#[derive(Debug)]
struct RowsOutput {
    /// The name of its first file; the names of the others begin with it.
    name: String,
    rows: Output,
    coder: Coder,
    ends: Vec<u64>,
    /// Written from the first incomplete document on, then also for the documents before it.
    positions: Option<Output>,
    count: u64,
    scratch: RowScratch,
}

impl RowsOutput {
    fn new(storage: &dyn Storage, name: String, coder: Coder) -> io::Result<Self> {
        let rows = Output::create(storage, &name)?;
        let (ends, scratch) = (Vec::new(), RowScratch::default());
        Ok(Self { name, rows, coder, ends, positions: None, count: 0, scratch })
    }

    fn add(
        &mut self,
        storage: &dyn Storage,
        KeptViews { views, positions }: KeptViews<'_>,
    ) -> io::Result<()> {
        let rows = match views {
            Views::Stored(rows) => rows,
            Views::New(views) => self.coder.encode(views.values(), &mut self.scratch),
        };
        self.rows.write(rows)?;
        let count = rows.len() / self.coder.row_bytes();
        self.add_positions(storage, positions, count as u32)?;
        self.count += count as u64;
        self.ends.push(self.count);
        Ok(())
    }

    fn add_positions(
        &mut self,
        storage: &dyn Storage,
        positions: Option<&[u32]>,
        count: u32,
    ) -> io::Result<()> {
        // if nothing was left out before the last kept view, positions are consecutive
        let positions =
            positions.filter(|positions| positions.last().is_some_and(|&last| last >= count));
        if positions.is_some() && self.positions.is_none() {
            let mut output = Output::create(storage, &format!("{}-positions", self.name))?;
            let mut start = 0;
            for &end in &self.ends {
                write_places(&mut output, (end - start) as u32)?;
                start = end;
            }
            self.positions = Some(output);
        }
        match (&mut self.positions, positions) {
            (None, _) => Ok(()),
            (Some(output), Some(positions)) => output.write(bytemuck::cast_slice(positions)),
            (Some(output), None) => write_places(output, count),
        }
    }

    fn finish(self, storage: &dyn Storage) -> io::Result<RowsEntry> {
        let ends = bytemuck::cast_slice(&self.ends);
        let ends = write_file(storage, &format!("{}-ends", self.name), ends)?;
        let positions = self.positions.map(Output::finish).transpose()?;
        Ok(RowsEntry { rows: self.rows.finish()?, ends, positions })
    }
}

/// Writes the positions of a document of which all views were kept.
fn write_places(output: &mut Output, count: u32) -> io::Result<()> {
    (0..count).try_for_each(|place| output.write(bytemuck::bytes_of(&place)))
}
