//! Several inputs as one stream of documents.
//!
//! The ids of the files of a folder are below the folder's own name, so that two folders do not share
//! any. All other ids are as they are. An id that comes from two inputs is an error: the document
//! would replace the other. To notice that, 16 bytes are kept for each document.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};

use super::skipped::LeftOut;
use super::stream::{ReadSettings, Records};
use crate::document::Document;
use crate::error::ReadError;
use crate::source::Progress;

impl Records<Document> {
    /// Opens several files and folders, and reads their documents one input after the other.
    ///
    /// One input is read as by [`Documents::open`](Records::open). With several, the ids of the files of a folder
    /// begin with the folder's name: `notes/a.md`.
    ///
    /// # Errors
    /// [`ReadError`] as [`Documents::open`](Records::open), for the first input that cannot be opened. While
    /// reading, [`ReadError::RepeatedId`] if two inputs have a document with the same id.
    pub fn open_all(paths: &[PathBuf], settings: &ReadSettings) -> Result<Self, ReadError> {
        if let [path] = paths {
            return Self::open(path, settings);
        }
        let left_out = LeftOut::default();
        let open = |path: &PathBuf| {
            let prefix = own_name(path);
            Self::open_below(path, prefix.as_deref(), settings, &left_out)
        };
        let inputs = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::of_all(inputs.iter().map(Records::progress).collect());
        let mut inputs = paths.iter().cloned().zip(inputs).collect::<Vec<_>>().into_iter();
        let mut current = inputs.next();
        let mut seen = Seen::default();
        let pull = move || {
            while let Some((path, documents)) = &mut current {
                if let Some(document) = documents.next() {
                    let document = document?;
                    seen.check(&document.id, path)?;
                    return Ok(Some(document));
                }
                current = inputs.next();
            }
            Ok(None)
        };
        let if_empty = ReadError::Empty { path: PathBuf::new(), wanted: "document" };
        Ok(Records::new(Box::new(pull), if_empty, progress).leaving_out(left_out))
    }
}

/// The name of a folder, also of `.`; none of a file.
fn own_name(path: &Path) -> Option<String> {
    let whole = path.canonicalize().ok().filter(|path| path.is_dir())?;
    whole.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// From which input each id came.
#[derive(Default)]
struct Seen {
    /// Hashes of ids; among 100 million the chance that two are equal is 1 in 3,700.
    ids: HashMap<u64, u32>,
    inputs: Vec<PathBuf>,
}

impl Seen {
    fn check(&mut self, id: &str, input: &Path) -> Result<(), ReadError> {
        if self.inputs.last().is_none_or(|last| last != input) {
            self.inputs.push(input.to_owned());
        }
        let number = self.inputs.len() as u32 - 1;
        let hash = self.ids.hasher().hash_one(id);
        match self.ids.insert(hash, number) {
            Some(first) if first != number => Err(ReadError::RepeatedId {
                id: id.to_owned(),
                first: self.inputs[first as usize].clone(),
                second: input.to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
