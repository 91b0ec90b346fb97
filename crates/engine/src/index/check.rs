//! Checks an index for damage: every checksum, and every invariant that searches rely on.

use std::path::Path;

use serde::Serialize;

use super::bits::Bits;
use super::error::OpenIndexError;
use super::manifest::Manifest;
use super::problem::{Problem, check_file};
use super::reader::{Generation, Reader};
use super::segment::{Segment, StoredRows};
use crate::codec::RowScratch;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The number of the generation.
    pub generation: u64,
    /// The number of its files.
    pub files: usize,
    /// Their total size in bytes.
    pub bytes: u64,
    /// The problems found; empty for a sound index.
    pub problems: Vec<Problem>,
}

impl Reader {
    /// Checks the current generation: checksums first, then the content of files with a good
    /// checksum.
    ///
    /// `watch` receives the number of bytes read since its last call, and returns whether to go on.
    /// After a stop, the problems found so far are returned.
    ///
    /// # Errors
    ///
    /// There is no index, it has another format, or it cannot be read.
    pub fn check(
        directory: &Path,
        mut watch: impl FnMut(u64) -> bool,
    ) -> Result<CheckReport, OpenIndexError> {
        let current = match Manifest::current(directory) {
            Err(OpenIndexError::Damaged { path, what }) => {
                let problems = vec![Problem { path, what }];
                return Ok(CheckReport { generation: 0, files: 0, bytes: 0, problems });
            }
            current => current?,
        };
        let (manifest, _lock) = &current;
        let (generation, files) = (manifest.generation, manifest.files());
        let count = files.len();
        let (mut problems, mut bytes, mut goes_on) = (Vec::new(), 0, true);
        for file in files {
            problems.extend(check_file(directory, file, &mut |count| {
                bytes += count;
                goes_on = goes_on && watch(bytes);
                goes_on
            })?);
        }
        if problems.is_empty() && goes_on {
            problems.extend(match Generation::of(directory, current, None) {
                Ok(generation) => check_generation(&generation),
                Err(OpenIndexError::Damaged { path, what }) => vec![Problem { path, what }],
                Err(other) => return Err(other),
            });
        }
        Ok(CheckReport { generation, files: count, bytes, problems })
    }
}

/// What checksums cannot tell: a program that wrote nonsense.
fn check_generation(generation: &Generation) -> Vec<Problem> {
    let mut problems = Vec::new();
    for segment in &generation.segments {
        let mut wrong = |path: &Path, what: &str| {
            problems.push(Problem { path: path.to_owned(), what: what.to_owned() });
        };
        let path = |name: &str| generation.directory.join(name);
        if !is_ordered(segment) {
            wrong(&path(&segment.entry.order.name), "it does not order the ids");
        }
        let entries = std::iter::once(&segment.entry.views).chain(&segment.entry.tokens);
        let rows = std::iter::once(&segment.views).chain(&segment.tokens);
        for (rows, entry) in rows.zip(entries) {
            if !is_finite(rows) {
                wrong(&rows.path, "it has a value that is no number");
            }
            if let Some(file) = entry.positions.as_ref().filter(|_| !is_ascending(segment, rows)) {
                wrong(&path(&file.name), "it does not ascend in each document");
            }
        }
        if let Some(lists) = &segment.lists {
            let views = segment.views.len();
            if !is_permutation(lists.numbers(), views) {
                wrong(&lists.path, "it does not name each view once");
            }
            if lists.factors().iter().any(|factor| !factor.is_finite()) {
                wrong(&lists.path.with_extension("factors"), "it has a factor that is no number");
            }
        }
    }
    problems.extend(check_ids(generation));
    problems
}

/// Whether all values are finite.
fn is_finite(rows: &StoredRows) -> bool {
    const MANY: usize = 1 << 12;
    let mut scratch = RowScratch::default();
    (0..rows.len()).step_by(MANY).all(|start| {
        let views = start..rows.len().min(start + MANY);
        let values = rows.read(views.clone(), &mut scratch).unwrap_or_default();
        let finite = values.iter().all(|value| value.is_finite());
        rows.release(views);
        finite
    })
}

/// Whether the positions of each document's views are ascending.
fn is_ascending(segment: &Segment, rows: &StoredRows) -> bool {
    (0..segment.documents()).all(|document| {
        let positions = rows.of(document).and_then(|views| rows.positions(views));
        positions.is_some_and(|positions| positions.is_sorted_by(|one, next| one < next))
    })
}

/// Whether each document is listed once, by ascending id, and is found by its id.
fn is_ordered(segment: &Segment) -> bool {
    let ids = segment.order().iter().map(|&document| segment.id(document as usize));
    is_permutation(segment.order(), segment.documents())
        && ids.clone().all(|id| id.is_some_and(|id| !id.is_empty()))
        && ids.is_sorted()
}

fn is_permutation(numbers: &[u32], count: usize) -> bool {
    let mut seen = Bits::new(count);
    let new = |&number: &u32| (number as usize) < count && seen.add(number as usize);
    numbers.len() == count && numbers.iter().all(new)
}

/// Checks that no id stands for two documents.
fn check_ids(generation: &Generation) -> Option<Problem> {
    let segments = &generation.segments;
    let mut places = (0..).zip(segments).flat_map(|(number, segment)| {
        segment.live().filter_map(move |document| Some((segment.id(document)?, number, document)))
    });
    let twice = places.find(|&(id, number, document)| {
        // an earlier one would be found before it
        generation.find(id) != Some((number, document))
    })?;
    let path = generation.directory.join(&segments[twice.1].entry.ids.name);
    Some(Problem { path, what: format!("document `{}` is there twice", twice.0) })
}
