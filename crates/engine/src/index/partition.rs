//! Decides when views get lists and how many, and trains the centroids that all segments share.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::lists::{Partition, Rotation};

use super::error::OpenIndexError;
use super::manifest::{PartitionEntry, SegmentEntry};
use super::mapped::Mapped;
use super::segment::StoredRows;

/// With fewer views all are scanned: searching lists would take longer.
pub const FEWEST_VIEWS: u64 = 20_000;
/// When the index has grown by this factor, new centroids are trained.
const OUTGROWN: u64 = 4;
/// New centroids are also trained for a list with this many times the mean length, if the index has
/// grown by an eighth since the last training, and the list is twice as long as the longest was
/// then. Identical views cannot be separated by centroids, so it is tried again only when there are
/// twice as many.
const TOO_LONG: u64 = 20;
/// Sampled views per list.
const SAMPLE: usize = 40;

/// Views that are read before their memory is released.
const RELEASE: usize = 1 << 16;

/// The coarse quantiser: centroids, and the rotation of residuals before they are encoded.
#[derive(Debug)]
pub(crate) struct CoarseQuantizer {
    pub(crate) partition: Partition,
    pub(crate) rotation: Rotation,
}

impl CoarseQuantizer {
    pub(crate) fn open(
        directory: &Path,
        entry: &PartitionEntry,
        dim: usize,
    ) -> Result<Self, OpenIndexError> {
        let path = directory.join(&entry.file.name);
        let file = match Mapped::open(directory, &entry.file) {
            Ok(file) => file,
            Err(source) => return Err(OpenIndexError::Read { path, source }),
        };
        let partition = Partition::from_bytes(dim, file.bytes()).ok_or_else(|| {
            let what = "it holds no centroids".to_owned();
            OpenIndexError::Damaged { path, what }
        })?;
        Ok(Self { partition, rotation: Rotation::new(dim, entry.seed) })
    }

    /// Trains centroids on a sample of the views that takes at most `memory` bytes.
    pub(crate) fn train(
        dim: usize,
        rows: &[&StoredRows],
        seed: u64,
        memory: usize,
        stop: &AtomicBool,
    ) -> io::Result<Self> {
        let views: usize = rows.iter().map(|rows| rows.len()).sum();
        let lists = lists_for(views);
        let room = memory / (dim * size_of::<f32>());
        let sample = sample(dim, rows, (lists * SAMPLE).min(views).min(room), seed)?;
        let partition = Partition::train(dim, &sample, lists, seed, stop);
        Ok(Self { partition, rotation: Rotation::new(dim, seed) })
    }
}

/// Returns whether the number of views calls for new centroids; `first` views for the first ones.
pub(crate) fn is_outgrown(partition: Option<&PartitionEntry>, views: u64, first: u64) -> bool {
    match partition {
        None => views >= first,
        Some(partition) => views >= OUTGROWN * partition.views,
    }
}

/// Returns whether the longest list is too long, and new centroids may help.
pub(crate) fn is_out_of_balance(partition: &PartitionEntry, lengths: &[u64]) -> bool {
    let (views, longest) = (lengths.iter().sum::<u64>(), longest(lengths));
    longest * lengths.len() as u64 >= TOO_LONG * views
        && longest >= 2 * partition.longest
        && views >= partition.views + partition.views / 8
}

/// The length of the longest list.
pub(crate) fn longest(lengths: &[u64]) -> u64 {
    lengths.iter().copied().max().unwrap_or(0)
}

/// The length of each list over all segments.
pub(crate) fn list_lengths(directory: &Path, segments: &[SegmentEntry]) -> io::Result<Vec<u64>> {
    let mut lengths = Vec::new();
    for lists in segments.iter().filter_map(|segment| segment.lists.as_ref()) {
        let file = Mapped::open(directory, &lists.ends)?;
        let ends = file.numbers::<u64>();
        lengths.resize(ends.len(), 0);
        let starts = [0].iter().chain(ends);
        for (length, (end, start)) in lengths.iter_mut().zip(ends.iter().zip(starts)) {
            *length += end - start;
        }
    }
    Ok(lengths)
}

/// 6,000 lists for a million views, and twice that for four million: with fewer, more codes are
/// scanned for the same recall; with more, centroids take more than a byte per view.
fn lists_for(views: usize) -> usize {
    (6.0 * (views as f64).sqrt()) as usize
}

/// A random sample of views without repeats, in their order.
fn sample(dim: usize, rows: &[&StoredRows], count: usize, seed: u64) -> io::Result<Vec<f32>> {
    let views: usize = rows.iter().map(|rows| rows.len()).sum();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut wanted, mut left) = (count, views);
    let mut sample = Vec::with_capacity(count * dim);
    for rows in rows {
        for view in 0..rows.len() {
            if view % RELEASE == 0 {
                rows.release(view.saturating_sub(RELEASE)..view);
            }
            // the next of `left` views is among the `wanted` with this chance
            let take = random.next_u64() % (left as u64) < wanted as u64;
            left -= 1;
            if take {
                wanted -= 1;
                rows.decode(view..view + 1, &mut sample)?;
            }
        }
    }
    Ok(sample)
}
