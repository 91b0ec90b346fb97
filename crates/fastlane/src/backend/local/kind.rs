//! The kind of a directory, from the names in it; damage does not change the kind.

use std::fs;
use std::io;
use std::path::Path;

use fastlane_engine::Reader;

use super::{VIEWS, lexical};

/// The kind of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing has this name.
    Absent,
    /// An empty directory, or the remains of an incomplete first commit.
    Empty,
    /// A collection of documents, intact or damaged.
    Collection,
    /// An index of views only, intact or damaged.
    Views,
    /// Something else: a file, or a directory with a foreign entry.
    Foreign {
        /// The first name that does not belong to an index.
        name: String,
    },
}

/// Returns the kind of a path, from names only: a damaged collection is a collection.
///
/// # Errors
///
/// The directory cannot be read.
pub fn kind(path: &Path) -> io::Result<Kind> {
    let file = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kind::Absent),
        file => file?,
    };
    if !file.is_dir() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(Kind::Foreign { name });
    }
    let views = path.join(VIEWS);
    let later = |name: &String| lexical::generation_of(name).is_some_and(|number| number > 1);
    if (views.is_dir() && holds_index(&views)?) || lexical::all(path)?.iter().any(later) {
        return Ok(Kind::Collection);
    }
    if holds_index(path)? {
        return Ok(Kind::Views);
    }
    Ok(foreign(path)?.map_or(Kind::Empty, |name| Kind::Foreign { name }))
}

/// Whether an index of views was ever committed in a directory.
fn holds_index(path: &Path) -> io::Result<bool> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(Reader::was_committed(names.iter().map(String::as_str)))
}

/// The first name in a directory that does not belong to an index.
pub(crate) fn foreign(path: &Path) -> io::Result<Option<String>> {
    let mut first: Option<String> = None;
    let of_words = lexical::all(path)?;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let ours = name == VIEWS && is_empty_or_ours(&path.join(VIEWS))?
            || of_words.contains(&name)
            || Reader::is_file_name(&name)
            || name.starts_with('.');
        if !ours && first.as_ref().is_none_or(|first| name < *first) {
            first = Some(name);
        }
    }
    Ok(first)
}

/// Whether a directory named `views` holds only our files.
fn is_empty_or_ours(path: &Path) -> io::Result<bool> {
    if !path.is_dir() {
        return Ok(false);
    }
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !Reader::is_file_name(&name) && !name.starts_with('.') {
            return Ok(false);
        }
    }
    Ok(true)
}
