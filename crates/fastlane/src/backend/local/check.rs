//! Checks a whole collection for damage: views, lexical index, texts and metadata.

use std::path::Path;

use fastlane_durable::FileEntry;
use fastlane_engine::{CheckReport, Problem, Reader};

use super::VIEWS;
use super::metadata::CollectionMetadata;
use super::snapshot::LocalSnapshot;
use crate::collection::Collection;
use crate::error::CollectionError;

impl Collection {
    /// Checks all files of the current commit, and that each document has views and a text.
    ///
    /// `watch` receives the number of bytes read so far, at intervals, and returns whether to
    /// continue; the result so far is returned.
    ///
    /// # Errors
    ///
    /// There is no collection, it has another format, or it cannot be read.
    pub fn check(
        directory: &Path,
        mut watch: impl FnMut(u64) -> bool,
    ) -> Result<CheckReport, CollectionError> {
        let mut goes_on = true;
        let mut checked = match Reader::check(&directory.join(VIEWS), |bytes| {
            goes_on = watch(bytes);
            goes_on
        }) {
            // the directory of views or that of the lexical index exists, so the collection is
            // damaged
            Err(fastlane_engine::OpenIndexError::Absent { path }) => {
                let what = "CURRENT is missing".to_owned();
                let problems = vec![Problem { path, what }];
                CheckReport { generation: 0, files: 0, bytes: 0, problems }
            }
            checked => checked?,
        };
        let reader = match Reader::open(&directory.join(VIEWS)) {
            Ok(reader) if goes_on => reader,
            Err(error) if checked.problems.is_empty() => return Err(error.into()),
            // the commit of the views names the lexical index, so without it nothing is known
            _ => return Ok(checked),
        };
        let problem = |error: CollectionError| match error {
            CollectionError::Damaged { path, what } => Ok(Problem { path, what }),
            other => Err(other),
        };
        let metadata = match CollectionMetadata::of(&reader, directory) {
            Ok(metadata) => metadata,
            Err(_) if !checked.problems.is_empty() => return Ok(checked),
            Err(error) => {
                checked.problems.push(problem(error)?);
                return Ok(checked);
            }
        };
        drop(reader);
        let path = directory.join(&metadata.words);
        for file in metadata.files.iter().flatten() {
            checked.problems.extend(check_file(&path, file, &mut |count| {
                checked.bytes += count;
                goes_on = goes_on && watch(checked.bytes);
                goes_on
            })?);
            checked.files += 1;
        }
        if checked.problems.is_empty() && goes_on {
            match LocalSnapshot::open(directory).and_then(|snapshot| without_text(&snapshot)) {
                Ok(lost) => checked.problems.extend(lost),
                Err(error) => checked.problems.push(problem(error)?),
            }
        }
        Ok(checked)
    }
}

/// Verifies the checksum of a lexical file.
fn check_file(
    directory: &Path,
    file: &FileEntry,
    watch: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Problem>, CollectionError> {
    let path = directory.join(&file.name);
    match file.check(directory, watch) {
        Err(source) => Err(CollectionError::Read { path, source }),
        Ok(difference) => Ok(difference.map(|what| Problem { path, what: what.to_string() })),
    }
}

/// Documents that have views but no text: written by a faulty program.
fn without_text(snapshot: &LocalSnapshot) -> Result<Option<Problem>, CollectionError> {
    let mut lost = Vec::new();
    for id in snapshot.reader.ids() {
        if snapshot.with_words(|words| words.get(id))?.is_none() {
            lost.push(id);
        }
    }
    let path = snapshot.path();
    Ok(lost.first().map(|first| {
        let what = format!("{} documents have views and no text, `{first}` first", lost.len());
        Problem { path, what }
    }))
}
