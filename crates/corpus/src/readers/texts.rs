//! A folder of text and Markdown files, compressed or not, or one such file.
//!
//! Files come in the order of their names, folder by folder, so that two runs agree; hidden ones
//! are left out, and so are links, which may lead in circles. Each file is one document. Its path
//! below the folder, with `/`, is the id. White space in the path, which no TREC run can carry, is
//! written in percents, each byte of its UTF-8, and so is `%`, so that two files never have one id:
//! `my notes.md` has the id `my%20notes.md`, and a file of that very name has `my%2520notes.md`.
//!
//! The title is the heading of level 1 with which the text begins, or else the name of the file. The
//! metadata has the `path` as it is, with its blanks. Of a packed file, `notes.md.gz`, path and id
//! keep the suffix. A byte order mark is not part of the text.
//!
//! A file that cannot be read ends the stream, or is left out and listed in
//! [`LeftOut`](super::LeftOut), as [`BadFiles`](super::BadFiles) says.
//!
//! One file at a time is in memory. The folder is walked twice, first to count its files, so that
//! progress has a total and no list of names is kept.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use walkdir::{DirEntry, WalkDir};

use super::bad_files::{BadFile, BadFiles, LeftOut};
use super::format::{Format, unpacked};
use super::stream::{ReadSettings, Records};
use crate::document::{Document, Metadata};
use crate::error::{Fault, ReadError};
use crate::outline::Outline;
use crate::source::{Progress, Source, Unit, cannot_open};

/// The largest text file, in bytes once unpacked: 64 MiB.
const LIMIT: u64 = 64 << 20;

pub(super) fn open(root: &Path, settings: &ReadSettings) -> Result<Records<Document>, ReadError> {
    let strict = settings.bad_files == BadFiles::Stop;
    let left_out = LeftOut::default();
    let (total, ignored) = count(root, strict)?;
    let progress = Progress::new(Some(total), Unit::Files);
    let if_empty = ReadError::NoTexts { path: root.into(), ignored };
    let mut folder = Folder {
        root: root.to_path_buf(),
        entries: Box::new(files(root)),
        strict,
        left_out: left_out.clone(),
        progress: progress.clone(),
        gave: false,
    };
    let pull = move || folder.next_document();
    Ok(Records::new(Box::new(pull), if_empty, progress).ignoring(ignored).leaving_out(left_out))
}

/// How many files have text, and how many have something else.
fn count(root: &Path, strict: bool) -> Result<(u64, u64), ReadError> {
    let (mut texts, mut others) = (0, 0);
    for entry in files(root) {
        match entry {
            Ok(file) if is_text(&file) => {
                // checked before all others are read in vain
                if strict {
                    path_below(&file)?;
                }
                texts += 1;
            }
            Ok(_) => others += 1,
            Err(error) => {
                let folder = unreadable(root, error);
                if strict || !folder.may_be_left_out(root) {
                    return Err(folder.why);
                }
            }
        }
    }
    Ok((texts, others))
}

/// A folder of which documents are being handed out.
struct Folder {
    root: PathBuf,
    entries: Box<dyn Iterator<Item = Result<DirEntry, walkdir::Error>> + Send>,
    strict: bool,
    left_out: LeftOut,
    progress: Progress,
    /// Whether any document came.
    gave: bool,
}

impl Folder {
    fn next_document(&mut self) -> Result<Option<Document>, ReadError> {
        while let Some(entry) = self.next_text() {
            match self.read(entry) {
                Ok(document) => {
                    self.progress.add(1);
                    if !document.text.trim().is_empty() {
                        self.gave = true;
                        return Ok(Some(document));
                    }
                    self.progress.add_empty();
                }
                Err(bad) if self.strict || !bad.may_be_left_out(&self.root) => return Err(bad.why),
                Err(bad) => {
                    self.progress.add(u64::from(!bad.is_folder));
                    self.left_out.add(*bad);
                }
            }
        }
        self.end()
    }

    /// The next file with text, or an error of the walk.
    fn next_text(&mut self) -> Option<Result<DirEntry, walkdir::Error>> {
        self.entries.by_ref().find(|file| file.as_ref().map_or(true, is_text))
    }

    fn read(&self, entry: Result<DirEntry, walkdir::Error>) -> Result<Document, Box<BadFile>> {
        let file = entry.map_err(|error| unreadable(&self.root, error))?;
        let path = path_below(&file);
        let id = path.as_ref().ok().map(|path| escaped(path));
        let document = path.and_then(|path| read(&file, &path));
        document.map_err(|why| BadFile { path: file.into_path(), is_folder: false, why, id }.into())
    }

    /// The end, or an error if no file could be read.
    fn end(&mut self) -> Result<Option<Document>, ReadError> {
        if self.gave {
            return Ok(None);
        }
        let Some((first, count)) = self.left_out.take_first() else { return Ok(None) };
        let (path, first) = (self.root.clone(), Box::new(first.why));
        Err(ReadError::NoneReadable { path, count, first })
    }
}

/// All files below the root that are not hidden, in order.
fn files(root: &Path) -> impl Iterator<Item = Result<DirEntry, walkdir::Error>> + Send + use<> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
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

/// Whether the extension of a file is that of a text.
pub(super) fn is_named(path: &Path) -> bool {
    Format::of_name(path) == Some(Format::Texts)
}

/// A folder that the walk could not enter.
fn unreadable(root: &Path, error: walkdir::Error) -> BadFile {
    let path = error.path().unwrap_or(root).to_path_buf();
    let below = path.strip_prefix(root).unwrap_or(&path);
    let id = joined(below.iter()).map(|path| escaped(&path));
    let source = error.into_io_error();
    let source = source.unwrap_or_else(|| std::io::Error::other("a link that leads back"));
    BadFile { is_folder: true, why: cannot_open(&path, source), id, path }
}

/// The document of one file.
fn read(file: &DirEntry, path: &str) -> Result<Document, ReadError> {
    let text = content(Source::open(file.path())?)?;
    let outline = Outline::markdown(&text);
    Ok(Document {
        id: escaped(path),
        title: outline.title(&text).map_or_else(|| bare_name(path), ToOwned::to_owned),
        metadata: Metadata::from_iter([("path".to_string(), json!(path))]),
        text,
        outline,
    })
}

/// The path below the folder with `/` between its parts.
fn path_below(file: &DirEntry) -> Result<String, ReadError> {
    let parts: Vec<_> = file.path().iter().rev().take(file.depth().max(1)).collect();
    joined(parts.into_iter().rev())
        .filter(|path| !path.contains(char::is_control))
        .ok_or_else(|| ReadError::FileName { path: file.path().into() })
}

/// Names with `/` between them; none if one of them is not UTF-8.
fn joined<'a>(names: impl Iterator<Item = &'a OsStr>) -> Option<String> {
    let names: Option<Vec<_>> = names.map(OsStr::to_str).collect();
    names.map(|names| names.join("/"))
}

/// A path as an id: white space and `%` in percents.
fn escaped(path: &str) -> String {
    let mut id = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_whitespace() || c == '%' {
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

/// The number of the line after these bytes.
fn line_after(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
