//! A folder of text and Markdown files, packed or not, or one such file.
//!
//! Files come in the order of their names, folder by folder, so that two runs agree; hidden ones
//! are left out, and so are links, which may lead in circles. A file's path below the folder, with
//! `/`, is the id of its first [passage](crate::passages()), `path#2` that of the second: a file that
//! grows keeps the ids it has. White space in the path, which no TREC run can carry, is written in
//! percents, each byte of its UTF-8: `my notes.md` has the id `my%20notes.md`. Nothing else is, so
//! a file of that very name beside it would have the same id.
//!
//! Every passage bears the file's title, its first Markdown heading or else its name, and says in
//! its metadata which bytes of which file it is: `text` is `byte_start..byte_end` of the file at
//! `path` (that one as it is, with its blanks). Of a packed file, `notes.md.gz`, path and id keep
//! the suffix, and the bytes are those of the unpacked file. A byte order mark belongs to no
//! passage and is counted.
//!
//! One file at a time is in memory. The folder is walked twice, first to count its files, so that
//! progress has a total and no list of names is kept.

use std::fmt::Write as _;
use std::io::Read as _;
use std::iter::Enumerate;
use std::ops::Range;
use std::path::Path;
use std::vec;

use serde_json::json;
use walkdir::{DirEntry, WalkDir};

use super::format::{Format, unpacked};
use super::records::Records;
use crate::document::{Document, Metadata};
use crate::error::{Fault, ReadError};
use crate::passages::{PassageSettings, passages, title};
use crate::source::{Progress, Source, Unit, cannot_open};

/// The largest text file, in bytes once unpacked: 64 MiB.
const LIMIT: u64 = 64 << 20;

pub(super) fn open(root: &Path, settings: PassageSettings) -> Result<Records<Document>, ReadError> {
    let (total, ignored) = count(root)?;
    let progress = Progress::new(Some(total), Unit::Files);
    let if_empty = ReadError::NoTexts { path: root.into(), ignored };
    let (mut files, counter) = (files(root), progress.clone());
    let mut text: Option<Text> = None;
    let pull = move || {
        loop {
            if let Some(document) = text.as_mut().and_then(Text::next_passage) {
                return Ok(Some(document));
            }
            counter.add(u64::from(text.is_some()));
            text = match files.by_ref().find(|file| file.as_ref().map_or(true, is_text)) {
                Some(file) => Some(Text::read(&file?, settings)?),
                None => return Ok(None),
            };
            if text.as_ref().is_some_and(|text| text.passages.len() == 0) {
                counter.add_empty();
            }
        }
    };
    Ok(Records::new(Box::new(pull), if_empty, progress).ignoring(ignored))
}

/// How many files have text, and how many have something else.
fn count(root: &Path) -> Result<(u64, u64), ReadError> {
    let (mut texts, mut others) = (0, 0);
    for file in files(root) {
        if is_text(&file?) { texts += 1 } else { others += 1 }
    }
    Ok((texts, others))
}

/// Everything below the root that is no folder and not hidden, in order.
fn files(root: &Path) -> impl Iterator<Item = Result<DirEntry, ReadError>> + Send + use<> {
    let root = root.to_path_buf();
    WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
        .map(move |entry| entry.map_err(|error| unreadable(&root, error)))
        .filter(|entry| !entry.as_ref().is_ok_and(is_folder))
}

/// Whether this is a folder; the root may also be a link to one.
fn is_folder(entry: &DirEntry) -> bool {
    if entry.depth() == 0 { entry.path().is_dir() } else { entry.file_type().is_dir() }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// A file of one of the endings, or the file that was named itself, whatever its ending.
fn is_text(entry: &DirEntry) -> bool {
    entry.depth() == 0 || entry.file_type().is_file() && is_named(entry.path())
}

/// Whether the ending of a file says that it is a text.
pub(super) fn is_named(path: &Path) -> bool {
    Format::of_name(path) == Some(Format::Texts)
}

fn unreadable(root: &Path, error: walkdir::Error) -> ReadError {
    let path = error.path().unwrap_or(root).to_path_buf();
    cannot_open(&path, error.into())
}

/// A text file of which passages are being handed out.
struct Text {
    /// The path below the folder with `/` between its parts.
    path: String,
    id: String,
    title: String,
    text: String,
    /// Where `text` begins in the unpacked file: after the byte order mark, if there is one.
    start: usize,
    passages: Enumerate<vec::IntoIter<Range<usize>>>,
}

impl Text {
    fn read(file: &DirEntry, settings: PassageSettings) -> Result<Self, ReadError> {
        let path = path_below(file)?;
        let source = Source::open(file.path())?;
        let start = source.start();
        let text = content(source)?;
        Ok(Self {
            id: without_white_space(&path),
            title: title(&text).map_or_else(|| bare_name(&path), ToString::to_string),
            path,
            start,
            passages: passages(&text, settings).into_iter().enumerate(),
            text,
        })
    }

    fn next_passage(&mut self) -> Option<Document> {
        let (before, range) = self.passages.next()?;
        let id = match before {
            0 => self.id.clone(),
            _ => format!("{}#{}", self.id, before + 1),
        };
        let metadata = Metadata::from_iter([
            ("path".to_string(), json!(self.path)),
            ("byte_start".to_string(), json!(self.start + range.start)),
            ("byte_end".to_string(), json!(self.start + range.end)),
        ]);
        Some(Document { id, title: self.title.clone(), text: self.text[range].into(), metadata })
    }
}

/// The path below the folder with `/` between its parts.
fn path_below(file: &DirEntry) -> Result<String, ReadError> {
    let parts: Vec<_> = file.path().iter().rev().take(file.depth().max(1)).collect();
    let names: Option<Vec<_>> = parts.iter().rev().map(|part| part.to_str()).collect();
    names
        .map(|names| names.join("/"))
        .filter(|path| !path.contains(char::is_control))
        .ok_or_else(|| ReadError::FileName { path: file.path().into() })
}

/// A path as an id, its white space in percents.
fn without_white_space(path: &str) -> String {
    let mut id = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_whitespace() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(id, "%{byte:02X}").expect("a string takes whatever is written to it");
            }
        } else {
            id.push(c);
        }
    }
    id
}

/// The name of a file without its folders and endings.
fn bare_name(path: &str) -> String {
    let stem = Path::new(unpacked(path)).file_stem();
    stem.unwrap_or_default().to_string_lossy().into_owned()
}

fn content(mut source: Source) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    let read = (&mut source).take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| source.fault(line_after(&bytes), error))?;
    if (source.start() + bytes.len()) as u64 > LIMIT {
        return Err(ReadError::TooLarge { path: source.path().into(), limit: LIMIT });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let column = 1 + good.iter().rev().take_while(|&&byte| byte != b'\n').count();
        source.place(line_after(good)).error(Fault::NotUtf8 { column })
    })
}

/// The line on which the byte after these stands.
fn line_after(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
