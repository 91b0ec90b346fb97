//! The files of a folder, in the order of their names, folder by folder.
//!
//! Hidden files and what a `.gitignore` in the folder names are passed over, so are links, which may
//! lead in circles, and anything that is not a regular file: opening a pipe would wait for a writer.

use std::io;
use std::path::{Path, PathBuf};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder};

use crate::error::ReadError;

/// A file of a folder.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// How many of the last names of the path are below the folder.
    pub(super) depth: usize,
    /// Its size on the disk, in bytes.
    pub(super) length: u64,
}

/// A folder or file that cannot be visited.
pub(super) struct Unvisited {
    /// Where it is, if the system tells.
    pub(super) path: Option<PathBuf>,
    /// Whether it is the folder that was named.
    pub(super) is_root: bool,
    pub(super) error: io::Error,
}

/// Which files of a folder to read, by their names.
pub(super) fn globs(
    root: &Path,
    include: &[String],
    exclude: &[String],
) -> Result<Override, ReadError> {
    let mut globs = OverrideBuilder::new(root);
    let invalid = |glob: &str, error: ignore::Error| {
        let said = error.to_string();
        let reason = said.rsplit_once("': ").map_or(&*said, |(_, reason)| reason);
        ReadError::Glob { glob: glob.to_owned(), reason: reason.to_owned() }
    };
    for glob in include {
        globs.add(glob).map_err(|error| invalid(glob, error))?;
    }
    for glob in exclude {
        globs.add(&format!("!{glob}")).map_err(|error| invalid(glob, error))?;
    }
    globs.build().map_err(|error| invalid("", error))
}

/// All files below the folder.
pub(super) fn files(
    root: &Path,
    globs: Override,
) -> impl Iterator<Item = Result<File, Unvisited>> + Send + use<> {
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(true)
        .git_ignore(true)
        .require_git(false)
        .overrides(globs)
        .sort_by_file_name(Ord::cmp)
        .build();
    walk.filter_map(|entry| match entry {
        Ok(entry) => file(&entry),
        Err(error) => Some(Err(unvisited(error))),
    })
}

/// A regular file; not the root, which may be a link to a folder.
fn file(entry: &DirEntry) -> Option<Result<File, Unvisited>> {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return None;
    }
    let path = entry.path().to_path_buf();
    Some(match entry.metadata() {
        Ok(about) => Ok(File { path, depth: entry.depth(), length: about.len() }),
        Err(error) => Err(Unvisited { path: Some(path), ..unvisited(error) }),
    })
}

fn unvisited(error: ignore::Error) -> Unvisited {
    match error {
        ignore::Error::WithPath { path, err } => Unvisited { path: Some(path), ..unvisited(*err) },
        ignore::Error::WithDepth { err, depth } => {
            Unvisited { is_root: depth == 0, ..unvisited(*err) }
        }
        ignore::Error::WithLineNumber { err, .. } => unvisited(*err),
        ignore::Error::Io(error) => Unvisited { path: None, is_root: false, error },
        other => {
            let error = io::Error::other(other.to_string());
            Unvisited { path: None, is_root: false, error }
        }
    }
}
