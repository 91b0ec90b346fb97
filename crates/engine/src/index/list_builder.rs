//! Builds the inverted lists of a segment: assigns and encodes its views, and writes list after
//! list.

use std::io;
use std::ops::Range;

use fastlane_durable::{Output, Storage, write_file};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::lists::{BLOCK, block_bytes, encode, put};

use super::manifest::{ListsEntry, ONE_BIT};
use super::partition::CoarseQuantizer;
use super::segment::StoredRows;

/// The number of views processed at a time.
const CHUNK: usize = 16_384;

/// How lists are built.
pub(crate) struct Plan<'a> {
    pub(crate) storage: &'a dyn Storage,
    /// The file names up to the dot.
    pub(crate) stem: &'a str,
    pub(crate) quantizer: &'a CoarseQuantizer,
    /// The thread pool for the work.
    pub(crate) pool: &'a ThreadPool,
    /// The approximate memory for the lists that are being filled, in bytes.
    pub(crate) memory: usize,
}

/// Receives the number of processed views now and then; an error that it returns ends the work.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(u64) -> io::Result<()>;

/// Builds and writes the lists of views.
pub(crate) fn build_lists(
    plan: &Plan<'_>,
    rows: &StoredRows,
    on_progress: OnProgress<'_>,
) -> io::Result<ListsEntry> {
    let Plan { storage, stem, quantizer, pool, memory } = *plan;
    let lists = assign(plan, rows, on_progress)?;
    let ends = ends(&lists, quantizer.partition.lists());
    let mut files = Files {
        codes: Output::create(storage, &format!("{stem}.codes"))?,
        factors: Output::create(storage, &format!("{stem}.factors"))?,
        numbers: Output::create(storage, &format!("{stem}.numbers"))?,
    };
    let room = memory / (block_bytes(rows.dim()) / BLOCK + 8);
    let mut carried = Vec::new();
    for part in parts(&ends, room) {
        let mut buffer = ListBuffer::new(rows.dim(), &ends, part, carried);
        pool.install(|| buffer.fill(rows, quantizer, &lists))?;
        on_progress(0)?;
        carried = buffer.write(&mut files)?;
    }
    files.codes.write(&carried)?;
    Ok(ListsEntry {
        code: ONE_BIT.to_owned(),
        ends: write_file(storage, &format!("{stem}.list-ends"), bytemuck::cast_slice(&ends))?,
        codes: files.codes.finish()?,
        factors: files.factors.finish()?,
        numbers: files.numbers.finish()?,
    })
}

struct Files {
    codes: Output,
    factors: Output,
    numbers: Output,
}

/// The list of each view.
fn assign(plan: &Plan<'_>, rows: &StoredRows, on_progress: OnProgress<'_>) -> io::Result<Vec<u32>> {
    let mut lists = vec![0; rows.len()];
    let mut values = Vec::new();
    for (chunk, lists) in lists.chunks_mut(CHUNK).enumerate() {
        let start = chunk * CHUNK;
        floats(rows, start..start + lists.len(), &mut values)?;
        plan.pool.install(|| plan.quantizer.partition.assign(&values, lists));
        on_progress(lists.len() as u64)?;
    }
    Ok(lists)
}

fn floats(rows: &StoredRows, views: Range<usize>, into: &mut Vec<f32>) -> io::Result<()> {
    into.clear();
    rows.decode(views.clone(), into)?;
    rows.release(views);
    Ok(())
}

/// Where each list ends.
fn ends(lists: &[u32], count: usize) -> Vec<u64> {
    let mut ends = vec![0_u64; count];
    for &list in lists {
        ends[list as usize] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    ends
}

/// Consecutive lists with at most `room` views in total, or a single longer list.
fn parts(ends: &[u64], room: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for list in 0..ends.len() {
        match parts.last_mut() {
            Some(part) if ends[list] - start <= room as u64 => part.end = list + 1,
            _ => {
                start = list.checked_sub(1).map_or(0, |before| ends[before]);
                parts.push(list..list + 1);
            }
        }
    }
    parts
}

/// Lists that are filled in memory.
struct ListBuffer {
    dim: usize,
    lists: Range<usize>,
    /// The position of the first code, and that of the first code of its block.
    first: usize,
    block: usize,
    /// The next free position of each list.
    next: Vec<usize>,
    codes: Vec<u8>,
    factors: Vec<f32>,
    numbers: Vec<u32>,
}

impl ListBuffer {
    /// Allocates the lists; `carried` is the block that the previous lists began.
    fn new(dim: usize, ends: &[u64], lists: Range<usize>, carried: Vec<u8>) -> Self {
        let start = |list: usize| list.checked_sub(1).map_or(0, |before| ends[before] as usize);
        let (first, end) = (start(lists.start), start(lists.end));
        let block = first / BLOCK * BLOCK;
        let mut codes = carried;
        codes.resize((end - block).div_ceil(BLOCK) * block_bytes(dim), 0);
        Self {
            dim,
            next: lists.clone().map(start).collect(),
            lists,
            first,
            block,
            codes,
            factors: vec![0.0; end - first],
            numbers: vec![0; end - first],
        }
    }

    /// Encodes the views that belong to these lists.
    fn fill(
        &mut self,
        rows: &StoredRows,
        quantizer: &CoarseQuantizer,
        lists: &[u32],
    ) -> io::Result<()> {
        let dim = self.dim;
        let bytes = dim / 8;
        let mut values = Vec::new();
        let mut coded = vec![(0_u32, 0.0_f32); CHUNK];
        let mut bits = vec![0; CHUNK * bytes];
        for (chunk, lists) in lists.chunks(CHUNK).enumerate() {
            let start = chunk * CHUNK;
            floats(rows, start..start + lists.len(), &mut values)?;
            let each = (values.par_chunks_mut(dim).zip(bits.par_chunks_mut(bytes)))
                .zip(coded.par_iter_mut().zip(lists));
            each.for_each(|((values, bits), (coded, &list))| {
                if self.lists.contains(&(list as usize)) {
                    *coded = (list, code(quantizer, list, values, bits));
                }
            });
            for (view, &list) in (start..).zip(lists) {
                if self.lists.contains(&(list as usize)) {
                    let place = view - start;
                    let bits = &bits[place * bytes..][..bytes];
                    self.put(list as usize, view as u32, bits, coded[place].1);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, list: usize, view: u32, bits: &[u8], factor: f32) {
        let next = &mut self.next[list - self.lists.start];
        put(&mut self.codes, self.dim, *next - self.block, bits);
        self.factors[*next - self.first] = factor;
        self.numbers[*next - self.first] = view;
        *next += 1;
    }

    /// Writes all blocks, except a last block that later lists share, which is returned.
    fn write(mut self, files: &mut Files) -> io::Result<Vec<u8>> {
        let end = self.first + self.numbers.len();
        let whole = (end - self.block) / BLOCK * block_bytes(self.dim);
        let carried = self.codes.split_off(whole);
        files.codes.write(&self.codes)?;
        files.factors.write(bytemuck::cast_slice(&self.factors))?;
        files.numbers.write(bytemuck::cast_slice(&self.numbers))?;
        Ok(carried)
    }
}

/// Encodes a view, which is overwritten, and returns the factor of its code.
fn code(quantizer: &CoarseQuantizer, list: u32, view: &mut [f32], bits: &mut [u8]) -> f32 {
    let centroid = quantizer.partition.centroid(list as usize);
    view.iter_mut().zip(centroid).for_each(|(value, center)| *value -= center);
    quantizer.rotation.apply(view);
    encode(view, bits)
}
