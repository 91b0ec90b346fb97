//! BEIR: a directory with `corpus.jsonl` and `queries.jsonl`, compressed or not.
//!
//! The files are JSONL with `_id`, `title`, `text` and `metadata`, which [`super::jsonl`] reads
//! with its usual names.

use std::path::{Path, PathBuf};

/// The suffixes a packed file may have.
pub(super) const PACKED: [&str; 3] = [".gz", ".zst", ".zstd"];

/// The file of this stem in a directory, the unpacked one first.
pub(super) fn find(directory: &Path, stem: &str) -> Option<PathBuf> {
    let suffixes = std::iter::once("").chain(PACKED);
    suffixes
        .map(|suffix| directory.join(format!("{stem}.jsonl{suffix}")))
        .find(|file| file.is_file())
}
