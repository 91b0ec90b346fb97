//! Checks whether the files in a directory are ours.

use std::io;
use std::path::Path;

use fastlane_engine::VectorWriter;

use super::PartialError;

pub(super) const JOURNAL: &str = "progress.json";

/// Checks that a directory has no foreign files.
///
/// Names alone are not enough, since other programs write an `ids.txt` too: ours come with the
/// views or with a journal.
pub(super) fn check(path: &Path) -> Result<(), PartialError> {
    let names = names(path).map_err(|source| PartialError::Read { path: path.into(), source })?;
    let foreign = |name: &&String| !is_journal(name) && !VectorWriter::is_file_name(name);
    let sign = |name: &String| is_journal(name) || name == VectorWriter::SIGN;
    let first = names.first().filter(|_| !names.iter().any(sign));
    match names.iter().find(foreign).or(first) {
        None => Ok(()),
        Some(name) => Err(PartialError::Foreign { path: path.into(), name: name.clone() }),
    }
}

/// Removes our files, the journal last, because it marks the files as ours.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    remove_all_but_journal(path)?;
    names(path)?
        .iter()
        .filter(|name| is_journal(name))
        .try_for_each(|name| std::fs::remove_file(path.join(name)))
}

/// Removes all our files except the journal.
pub(super) fn remove_all_but_journal(path: &Path) -> io::Result<()> {
    let ours = names(path)?.into_iter().filter(|name| VectorWriter::is_file_name(name));
    ours.into_iter().try_for_each(|name| std::fs::remove_file(path.join(name)))
}

fn is_journal(name: &str) -> bool {
    name.strip_suffix(".aside").unwrap_or(name) == JOURNAL
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<std::fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    std::fs::read_dir(path)?.map(name).collect()
}
