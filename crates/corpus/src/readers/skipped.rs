//! What readers leave out: files without text, and files and records that cannot be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::format::unpacked;
use super::lines::Lines;
use crate::error::ReadError;

/// The most records that are skipped before the stream ends with an error.
const RECORDS: usize = 10_000;

/// What to do with a document that cannot be read.
///
/// It concerns what is wrong with one file, folder or record: no permission, a name that cannot be an
/// id, broken packing, too large a file, too long a path; a line that is not JSON, a text that is
/// null, a row with too few cells. A disk that fails always ends the stream, and so does a file that
/// was named itself, a header without the wanted columns, and a packed collection that breaks off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// Skip it and list it in [`Records::left_out`](crate::Records::left_out). A folder or file
    /// without any readable document is an error, and so are more than 10,000 bad records.
    #[default]
    Skip,
    /// End the stream with an error.
    Stop,
}

/// What was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A file of a folder.
    File,
    /// A folder, with everything below it.
    Folder,
    /// A record of a file: a line, or a row.
    Record,
}

/// A file, folder or record that was skipped because it cannot be read.
#[derive(Debug)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// What of it was skipped.
    pub part: Part,
    /// Why; for a record it names the line.
    pub why: ReadError,
    /// The id of its document, or of a folder the start of all ids; none if it is not known.
    pub(super) id: Option<String>,
}

impl Skipped {
    /// Whether a document with this id may come from here, once it can be read.
    ///
    /// A record of which the id cannot be read may be any document, and a folder of which the name
    /// cannot be told may have any.
    pub fn covers(&self, id: &str) -> bool {
        let rest = self.id.as_ref().and_then(|own| id.strip_prefix(own.as_str()));
        match self.part {
            Part::Record => self.id.is_none() || rest == Some(""),
            Part::File => rest == Some(""),
            Part::Folder => {
                self.id.is_none()
                    || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// Files of one kind that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutKind {
    /// What they are: an extension such as `.png`, `file without extension`, `folder` or `record`.
    pub kind: String,
    /// Why, in a few words such as `no text` or `larger than 64 MiB`.
    pub reason: &'static str,
    /// How many there are.
    pub count: u64,
    /// The first.
    pub first: PathBuf,
}

/// A file that is not in UTF-8, and was read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reencoded {
    /// The file.
    pub path: PathBuf,
    /// The encoding that was taken for its own.
    pub encoding: &'static str,
}

/// What a reader has left out so far; clones share the list.
#[derive(Debug, Clone, Default)]
pub struct LeftOut(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    skipped: Vec<Skipped>,
    records: usize,
    kinds: BTreeMap<(String, &'static str), (u64, PathBuf)>,
    reencoded: Vec<Reencoded>,
}

impl LeftOut {
    /// Takes what was skipped since the last call because it cannot be read, in the order of
    /// reading.
    pub fn take(&self) -> Vec<Skipped> {
        std::mem::take(&mut self.state().skipped)
    }

    /// All that was left out so far, by kind and reason, the most frequent first: what was skipped,
    /// and files without text.
    pub fn kinds(&self) -> Vec<LeftOutKind> {
        let row = |((kind, reason), (count, first)): (&(String, &'static str), &(u64, PathBuf))| {
            LeftOutKind { kind: kind.clone(), reason, count: *count, first: first.clone() }
        };
        let mut kinds: Vec<_> = self.state().kinds.iter().map(row).collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        kinds
    }

    /// Takes the files that were read although they are not in UTF-8, since the last call.
    pub fn reencoded(&self) -> Vec<Reencoded> {
        std::mem::take(&mut self.state().reencoded)
    }

    pub(super) fn add(&self, skipped: Skipped) {
        let kind = match skipped.part {
            Part::File => kind_of(&skipped.path),
            Part::Folder => "folder".to_owned(),
            Part::Record => "record".to_owned(),
        };
        self.count(kind, skipped.why.reason(), &skipped.path);
        self.state().skipped.push(skipped);
    }

    /// Adds a record; gives back its error if there are too many.
    pub(super) fn add_record(&self, skipped: Skipped) -> Result<(), ReadError> {
        self.state().records += 1;
        if self.state().records > RECORDS {
            let (path, first) = (skipped.path, Box::new(skipped.why));
            return Err(ReadError::TooManySkipped { path, limit: RECORDS, last: first });
        }
        self.add(skipped);
        Ok(())
    }

    /// Counts a file that has no text.
    pub(super) fn add_without_text(&self, path: &Path, reason: &'static str) {
        self.count(kind_of(path), reason, path);
    }

    pub(super) fn add_reencoded(&self, path: &Path, encoding: &'static str) {
        self.state().reencoded.push(Reencoded { path: path.to_owned(), encoding });
    }

    /// Takes the first of the last so many, unless they have been taken.
    pub(super) fn take_last(&self, count: usize) -> Option<Skipped> {
        let list = &mut self.state().skipped;
        let first = list.len().checked_sub(count)?;
        (count > 0).then(|| list.remove(first))
    }

    fn count(&self, kind: String, reason: &'static str, path: &Path) {
        let mut state = self.state();
        let counted = state.kinds.entry((kind, reason)).or_insert((0, path.to_owned()));
        counted.0 += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds it")
    }
}

/// Why a record cannot be read, and its id if that could be.
pub(super) struct Unread {
    pub(super) id: Option<String>,
    pub(super) why: ReadError,
}

impl From<ReadError> for Unread {
    fn from(why: ReadError) -> Self {
        Self { id: None, why }
    }
}

/// Skips bad records of one file, as the settings say.
pub(super) struct Skipping {
    on_error: OnError,
    left_out: LeftOut,
    /// Whether any record was read.
    gave: bool,
    /// How many were skipped.
    count: usize,
}

impl Skipping {
    pub(super) fn new(on_error: OnError, left_out: LeftOut) -> Self {
        Self { on_error, left_out, gave: false, count: 0 }
    }

    /// Passes a record on.
    pub(super) fn give<T>(&mut self, record: T) -> T {
        self.gave = true;
        record
    }

    /// Skips a record, or fails with its error.
    pub(super) fn skip(
        &mut self,
        lines: &Lines,
        Unread { id, why }: Unread,
    ) -> Result<(), ReadError> {
        if self.on_error == OnError::Stop || !why.concerns_one_record() {
            return Err(why);
        }
        self.count += 1;
        let path = lines.source().path().to_owned();
        self.left_out.add_record(Skipped { path, part: Part::Record, why, id })
    }

    /// Fails if all records were skipped.
    pub(super) fn end(&self) -> Result<(), ReadError> {
        if self.gave || self.count == 0 {
            return Ok(());
        }
        let Some(Skipped { path, why, .. }) = self.left_out.take_last(self.count) else {
            return Ok(());
        };
        Err(ReadError::NoneReadable { path, count: self.count, first: Box::new(why) })
    }
}

/// The kind of a file, from its name.
fn kind_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let extension = Path::new(unpacked(&name)).extension().and_then(|extension| extension.to_str());
    extension.map_or_else(|| "file without extension".to_owned(), |found| format!(".{found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(part: Part, id: Option<&str>) -> Skipped {
        let path = PathBuf::from("a/b.MD.gz");
        let why = ReadError::Missing { path: path.clone() };
        Skipped { path, part, why, id: id.map(str::to_owned) }
    }

    #[test]
    fn a_file_covers_its_document_and_a_folder_what_is_below_it() {
        let covered = |id: &str| skipped(Part::File, Some("a/b.md")).covers(id);
        assert!(covered("a/b.md"));
        for other in ["a/b.md.gz", "a/b.m", "a/b.md#2", "a/b.md/c", "b.md"] {
            assert!(!covered(other), "{other}");
        }
        let folder = skipped(Part::Folder, Some("a"));
        assert!(folder.covers("a/b.md") && !folder.covers("ab.md"));
        let unknown = skipped(Part::File, None);
        assert!(!unknown.covers("a") && !unknown.covers(""));
    }

    #[test]
    fn a_record_covers_its_id_or_any() {
        let record = skipped(Part::Record, Some("d1"));
        assert!(record.covers("d1") && !record.covers("d1/a") && !record.covers("d12"));
        assert!(skipped(Part::Record, None).covers("d1"));
    }

    #[test]
    fn kinds_are_counted_with_their_first() {
        let left_out = LeftOut::default();
        left_out.add_without_text(Path::new("x/README"), "no text");
        left_out.add_without_text(Path::new("x/1.PNG"), "no text");
        left_out.add_without_text(Path::new("x/2.png"), "no text");
        left_out.add(skipped(Part::File, None));
        let shown = |kind: LeftOutKind| {
            format!("{} {} ({}), {}", kind.count, kind.kind, kind.reason, kind.first.display())
        };
        let found: Vec<_> = left_out.kinds().into_iter().map(shown).collect();
        let wanted = [
            "2 .png (no text), x/1.PNG",
            "1 .md (cannot be opened), a/b.MD.gz",
            "1 file without extension (no text), x/README",
        ];
        assert_eq!(found, wanted);
    }
}
