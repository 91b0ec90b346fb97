//! The documents of a folder, one file after the other.
//!
//! One file at a time is in memory. The folder is walked twice, first for the sizes of its files, so
//! that progress has a total and no list of names is kept.

use std::path::{Path, PathBuf};

use ignore::overrides::Override;
use serde_json::json;

use super::super::skipped::{LeftOut, OnError, Part, Skipped};
use super::super::stream::{ReadSettings, Records};
use super::content;
use super::paths::{self, escaped, joined, name};
use super::walk::{File, Unvisited, files, globs};
use crate::document::{Document, Metadata};
use crate::error::ReadError;
use crate::source::{Progress, Source, about, cannot_open};

/// Opens a folder of texts, or one text.
///
/// A prefix comes before all paths, with a `/`.
pub(crate) fn open(
    root: &Path,
    prefix: Option<&str>,
    settings: &ReadSettings,
    left_out: &LeftOut,
) -> Result<Records<Document>, ReadError> {
    let strict = settings.on_error == OnError::Stop;
    if !about(root)?.is_dir() {
        return of_source(Source::open(root)?, left_out);
    }
    let globs = globs(root, &settings.include, &settings.exclude)?;
    let (count, total) = sizes(root, &globs, strict)?;
    let progress = Progress::new(Some(total));
    let mut folder = Folder {
        root: root.to_path_buf(),
        prefix: prefix.map(ToOwned::to_owned),
        files: Box::new(files(root, globs)),
        strict,
        left_out: left_out.clone(),
        progress: progress.clone(),
        skipped: 0,
        gave: false,
    };
    let if_empty = ReadError::NoTexts { path: root.into(), files: count };
    let pull = move || folder.next_document();
    Ok(Records::new(Box::new(pull), if_empty, progress).leaving_out(left_out.clone()))
}

/// One file that was named itself, so it is an error if it cannot be read.
pub(crate) fn of_source(
    source: Source,
    left_out: &LeftOut,
) -> Result<Records<Document>, ReadError> {
    let (path, progress) = (source.path().to_path_buf(), source.progress());
    let id = joined(path.file_name().into_iter());
    let id = id.ok_or_else(|| ReadError::FileName { path: path.clone() })?;
    let (mut source, found) = (Some(source), left_out.clone());
    let pull = move || {
        let Some(source) = source.take() else { return Ok(None) };
        let document = document(source, &id, &found)?;
        Ok(Some(document).filter(|document| !document.text.trim().is_empty()))
    };
    let if_empty = ReadError::Empty { path, wanted: "document" };
    Ok(Records::new(Box::new(pull), if_empty, progress).leaving_out(left_out.clone()))
}

/// How many files there are, and their bytes.
fn sizes(root: &Path, globs: &Override, strict: bool) -> Result<(u64, u64), ReadError> {
    let (mut count, mut total) = (0, 0);
    for file in files(root, globs.clone()) {
        match file {
            Ok(file) => {
                // checked before all others are read in vain
                if strict {
                    path_below(&file, None)?;
                }
                count += 1;
                total += file.length;
            }
            Err(bad) => {
                let is_root = bad.is_root;
                let folder = skipped_folder(root, None, bad);
                if strict || is_root || !folder.why.concerns_one_file() {
                    return Err(folder.why);
                }
            }
        }
    }
    Ok((count, total))
}

/// A folder of which documents are being handed out.
struct Folder {
    root: PathBuf,
    prefix: Option<String>,
    files: Box<dyn Iterator<Item = Result<File, Unvisited>> + Send>,
    strict: bool,
    left_out: LeftOut,
    progress: Progress,
    /// How many files and folders could not be read.
    skipped: usize,
    /// Whether any document came.
    gave: bool,
}

impl Folder {
    fn next_document(&mut self) -> Result<Option<Document>, ReadError> {
        while let Some(found) = self.files.next() {
            let length = found.as_ref().map_or(0, |file| file.length);
            let read = self.read(found);
            self.progress.add(length);
            match read {
                Ok(document) if document.text.trim().is_empty() => self.progress.add_empty(),
                Ok(document) => {
                    self.gave = true;
                    return Ok(Some(document));
                }
                Err(bad) => self.leave_out(*bad)?,
            }
        }
        self.end()
    }

    fn read(&self, found: Result<File, Unvisited>) -> Result<Document, Box<Skipped>> {
        let prefix = self.prefix.as_deref();
        let file = found.map_err(|bad| skipped_folder(&self.root, prefix, bad))?;
        let path = path_below(&file, prefix);
        let id = path.as_ref().ok().map(|path| escaped(path));
        let document =
            path.and_then(|path| document(Source::open(&file.path)?, &path, &self.left_out));
        document.map_err(|why| Skipped { path: file.path, part: Part::File, why, id }.into())
    }

    /// Notes a file that gives no document; fails if it must not be left out.
    fn leave_out(&mut self, bad: Skipped) -> Result<(), ReadError> {
        match bad.why {
            ReadError::NoText { reason, .. } => self.left_out.add_without_text(&bad.path, reason),
            _ if self.strict || !bad.why.concerns_one_file() => return Err(bad.why),
            _ => {
                self.skipped += 1;
                self.left_out.add(bad);
            }
        }
        Ok(())
    }

    /// The end, or an error if no file could be read.
    fn end(&mut self) -> Result<Option<Document>, ReadError> {
        if self.gave {
            return Ok(None);
        }
        let Some(first) = self.left_out.take_last(self.skipped) else { return Ok(None) };
        let (path, first) = (self.root.clone(), Box::new(first.why));
        Err(ReadError::NoneReadable { path, count: self.skipped, first })
    }
}

/// The document of one file.
fn document(source: Source, path: &str, left_out: &LeftOut) -> Result<Document, ReadError> {
    let place = source.path().to_owned();
    let (text, encoding) = content::read(source, name(path))?;
    if let Some(encoding) = encoding {
        left_out.add_reencoded(&place, encoding);
    }
    let first = || text.outline.title(&text.text).map(ToOwned::to_owned);
    Ok(Document {
        id: escaped(path),
        title: text.title.clone().or_else(first).unwrap_or_else(|| paths::title(path)),
        metadata: Metadata::from_iter([("path".to_string(), json!(path))]),
        text: text.text,
        outline: text.outline,
    })
}

/// The path below the folder, below the prefix, with `/` between its parts.
fn path_below(file: &File, prefix: Option<&str>) -> Result<String, ReadError> {
    let parts: Vec<_> = file.path.iter().rev().take(file.depth).collect();
    let path = joined(parts.into_iter().rev());
    let path = path.ok_or_else(|| ReadError::FileName { path: file.path.clone() })?;
    Ok(below(prefix, &path))
}

fn below(prefix: Option<&str>, path: &str) -> String {
    prefix.map_or_else(|| path.to_owned(), |prefix| format!("{prefix}/{path}"))
}

/// A folder that the walk could not enter.
fn skipped_folder(root: &Path, prefix: Option<&str>, bad: Unvisited) -> Skipped {
    let names = bad.path.as_deref().and_then(|path| path.strip_prefix(root).ok());
    let path = names.and_then(|names| joined(names.iter()));
    let id = path.map(|path| escaped(&below(prefix, &path)));
    let path = bad.path.unwrap_or_else(|| root.to_path_buf());
    let why = cannot_open(&path, bad.error);
    Skipped { part: Part::Folder, why, id, path }
}
