//! What a generation consists of: its settings and its files, with their checksums.
//!
//! ```text
//! CURRENT               generation-000007 5a3c…      the manifest that holds, and a checksum
//! generation-000007     fastlane-index 1 91bd…       the format, and a checksum of what follows
//!                       {"generation":7,…}
//! 000007-0.views …      files of the segment that generation 7 added
//! ```
//!
//! A commit writes new files, then a manifest, and last CURRENT anew by a rename: that is the one
//! moment at which everything changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use fastlane_durable::{FileEntry, Storage, try_lock, write_file};
use serde::{Deserialize, Serialize};

use super::error::OpenIndexError;
use crate::codec::Store;

/// The name of the file that names the manifest that holds.
///
/// [`Storage::rename`] in [`Manifest::commit`] is the only way to change it.
pub(crate) const CURRENT: &str = "CURRENT";
/// The only format there is yet.
const FORMAT: u32 = 1;
const MAGIC: &str = "fastlane-index";
const PREFIX: &str = "generation-";
const FIRST: &str = "000001";
/// What the names of other files end in.
const SUFFIXES: [&str; 16] = [
    "attached",
    "centroids",
    "codes",
    "deleted",
    "factors",
    "id-ends",
    "ids",
    "list-ends",
    "numbers",
    "order",
    "tokens",
    "tokens-ends",
    "tokens-positions",
    "views",
    "views-ends",
    "views-positions",
];

/// What is fixed when an index is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSettings {
    /// The length of the views that are searched.
    pub dim: usize,
    /// The length of the token views, when documents bring these apart from the searched ones.
    #[serde(default)]
    pub token_dim: Option<usize>,
    /// Whether the searched views are lane views without token views beside them: these nominate
    /// and never score by late interaction. Otherwise, without a `token_dim`, they are token views
    /// that do both.
    #[serde(default)]
    pub lanes_only: bool,
    /// What tells the model that made the views from others; empty if nobody says.
    #[serde(default)]
    pub model: String,
    /// How the values of views are kept.
    #[serde(default)]
    pub store: Store,
}

impl IndexSettings {
    /// A length of views that no index takes, if there is one.
    pub(crate) fn odd_dim(&self) -> Option<usize> {
        let odd = |dim: &usize| !dim.is_multiple_of(8) || !(8..=1024).contains(dim);
        [Some(self.dim), self.token_dim].into_iter().flatten().find(odd)
    }
}

/// A generation: everything that a reader needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) generation: u64,
    pub(crate) settings: IndexSettings,
    pub(crate) partition: Option<PartitionEntry>,
    pub(crate) segments: Vec<SegmentEntry>,
    #[serde(default)]
    pub(crate) attachments: BTreeMap<String, FileEntry>,
}

/// The centroids that all lists belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartitionEntry {
    pub(crate) file: FileEntry,
    /// How many views there were when it was made.
    pub(crate) views: u64,
    /// How many of them lay in the longest list.
    #[serde(default)]
    pub(crate) longest: u64,
    /// Where the rotation of codes and the sample came from.
    pub(crate) seed: u64,
}

/// Documents that were added together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentEntry {
    pub(crate) documents: u32,
    /// All ids, one after the other.
    pub(crate) ids: FileEntry,
    /// Where each id ends: u64.
    pub(crate) id_ends: FileEntry,
    /// The documents by their ids: u32.
    pub(crate) order: FileEntry,
    pub(crate) views: RowsEntry,
    pub(crate) tokens: Option<RowsEntry>,
    pub(crate) lists: Option<ListsEntry>,
    pub(crate) deleted: Option<DeletedEntry>,
}

/// Views, document after document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowsEntry {
    /// As the [`Store`] of the index says.
    pub(crate) rows: FileEntry,
    /// Where the views of each document end: u64.
    pub(crate) ends: FileEntry,
    /// Which each was of the views that its document came with: u32. Without it, all are here.
    pub(crate) positions: Option<FileEntry>,
}

/// The views of a segment by their centroids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListsEntry {
    /// How the codes were made: [`ONE_BIT`], the only way there is yet.
    #[serde(default = "one_bit")]
    pub(crate) code: String,
    /// Where each list ends: u64.
    pub(crate) ends: FileEntry,
    /// Codes in blocks.
    pub(crate) codes: FileEntry,
    /// The factor of each code: f32.
    pub(crate) factors: FileEntry,
    /// The number of each view: u32.
    pub(crate) numbers: FileEntry,
}

/// Codes of one bit for each value, with a factor for each code.
pub(crate) const ONE_BIT: &str = "1bit";

fn one_bit() -> String {
    ONE_BIT.to_owned()
}

/// Documents that are there no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletedEntry {
    /// A bit for each document: u64.
    pub(crate) bits: FileEntry,
    pub(crate) documents: u32,
}

impl Manifest {
    pub(crate) fn new(settings: IndexSettings) -> Self {
        let attachments = BTreeMap::new();
        Self { generation: 0, settings, partition: None, segments: Vec::new(), attachments }
    }

    /// Reads the manifest that holds, and keeps its writer from removing what it names.
    pub(crate) fn current(directory: &Path) -> Result<(Self, File), OpenIndexError> {
        loop {
            let name = current_name(directory)?;
            match Self::open(directory, &name)? {
                Some(found) => return Ok(found),
                // a writer removed it meanwhile: there is a newer one, unless it is lost
                None if current_name(directory)? == name => {
                    let what = format!("it names `{name}`, which is missing");
                    return Err(damaged(directory, CURRENT, what));
                }
                None => {}
            }
        }
    }

    /// Reads a manifest under a shared lock; `None` when it is not there any more.
    fn open(directory: &Path, name: &str) -> Result<Option<(Self, File)>, OpenIndexError> {
        let path = directory.join(name);
        let read = |source| OpenIndexError::Read { path: path.clone(), source };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(read)?,
        };
        let Some(mut file) = try_lock(file, true) else { return Ok(None) };
        if !path.exists() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(read)?;
        Ok(Some((Self::parse(directory, name, &bytes)?, file)))
    }

    /// Reads a manifest without a lock; `None` when it is not there.
    pub(crate) fn read(directory: &Path, name: &str) -> Result<Option<Self>, OpenIndexError> {
        let path = directory.join(name);
        match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpenIndexError::Read { path, source }),
            Ok(bytes) => Self::parse(directory, name, &bytes).map(Some),
        }
    }

    fn parse(directory: &Path, name: &str, bytes: &[u8]) -> Result<Self, OpenIndexError> {
        let broken = |what: &str| damaged(directory, name, what.to_owned());
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| broken("it is cut off"))?;
        let (head, body) = (&bytes[..end], &bytes[end + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| broken("it is not a manifest"))?;
        // the format alone is the same in all formats
        let mut parts = head.splitn(3, ' ');
        let (Some(MAGIC), Some(format)) = (parts.next(), parts.next()) else {
            return Err(broken("it is not a manifest"));
        };
        let format = format.parse::<u32>().map_err(|_| broken("its format is not a number"))?;
        if format != FORMAT {
            let path = directory.to_owned();
            return Err(OpenIndexError::Format { path, found: format, wanted: FORMAT });
        }
        if parts.next() != Some(&checksum(body)) {
            return Err(broken("checksum mismatch"));
        }
        let manifest: Self =
            serde_json::from_slice(body).map_err(|error| broken(&error.to_string()))?;
        if file_name(manifest.generation) != name {
            return Err(broken("it is of another generation"));
        }
        if let Some(found) = manifest.unknown_code() {
            return Err(OpenIndexError::Code { path: directory.to_owned(), found });
        }
        match manifest.contradiction() {
            Some(what) => Err(broken(&what)),
            None => Ok(manifest),
        }
    }

    /// A kind of codes that a later program wrote.
    fn unknown_code(&self) -> Option<String> {
        let mut lists = self.segments.iter().filter_map(|segment| segment.lists.as_ref());
        lists.find(|lists| lists.code != ONE_BIT).map(|lists| lists.code.clone())
    }

    /// What cannot be, whatever the files hold: searches rely on it.
    fn contradiction(&self) -> Option<String> {
        if let Some(dim) = self.settings.odd_dim() {
            return Some(format!("invalid view dimension {dim}"));
        }
        let apart = self.settings.token_dim.is_some();
        let other = self.segments.iter().any(|segment| segment.tokens.is_some() != apart);
        other.then(|| "its segments have other views than its settings say".to_owned())
    }

    /// Writes the manifest and makes it the one that holds.
    pub(crate) fn commit(&self, storage: &dyn Storage) -> io::Result<()> {
        let body = serde_json::to_string(self).map_err(io::Error::other)? + "\n";
        let head = format!("{MAGIC} {FORMAT} {}\n", checksum(body.as_bytes()));
        let name = file_name(self.generation);
        write_file(storage, &name, (head + &body).as_bytes())?;
        let current = format!("{name} {}\n", checksum(name.as_bytes()));
        let aside = format!("{name}.current");
        write_file(storage, &aside, current.as_bytes())?;
        storage.sync()?;
        storage.rename(&aside, CURRENT)?;
        storage.sync()
    }

    /// Tells whether a directory has an index, one file of which may be lost.
    ///
    /// Without CURRENT there is only what a first commit leaves that was never completed.
    pub(crate) fn is_there(directory: &Path) -> Result<bool, OpenIndexError> {
        match current_name(directory) {
            Err(OpenIndexError::Absent { .. }) => Ok(false),
            Err(error @ OpenIndexError::Read { .. }) => Err(error),
            Err(error @ OpenIndexError::Damaged { .. }) if !directory.join(CURRENT).exists() => {
                Err(error)
            }
            _ => Ok(true),
        }
    }

    /// A checksum of everything.
    pub(crate) fn identity(&self) -> u32 {
        let text = serde_json::to_vec(self).expect("a manifest makes JSON");
        crc32fast::hash(&text)
    }

    /// All files that it names, with what it says of them.
    pub(crate) fn files(&self) -> Vec<&FileEntry> {
        let mut files: Vec<&FileEntry> = self.attachments.values().collect();
        files.extend(self.partition.iter().map(|partition| &partition.file));
        files.extend(self.segments.iter().flat_map(SegmentEntry::files));
        files
    }
}

impl RowsEntry {
    /// The files of these views.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        [&self.rows, &self.ends].into_iter().chain(&self.positions)
    }
}

impl SegmentEntry {
    fn files(&self) -> Vec<&FileEntry> {
        let mut files = vec![&self.ids, &self.id_ends, &self.order];
        for rows in [Some(&self.views), self.tokens.as_ref()].into_iter().flatten() {
            files.extend(rows.files());
        }
        if let Some(ListsEntry { code: _, ends, codes, factors, numbers }) = &self.lists {
            files.extend([ends, codes, factors, numbers]);
        }
        files.extend(self.deleted.iter().map(|deleted| &deleted.bits));
        files
    }

    /// How many documents are gone.
    pub(crate) fn deleted(&self) -> u32 {
        self.deleted.as_ref().map_or(0, |deleted| deleted.documents)
    }
}

/// What CURRENT says.
pub(crate) fn current_name(directory: &Path) -> Result<String, OpenIndexError> {
    let path = directory.join(CURRENT);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(without(directory)),
        read => read.map_err(|source| OpenIndexError::Read { path, source })?,
    };
    let text = std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('\n'));
    match text.and_then(|text| text.split_once(' ')) {
        Some((name, sum)) if name.starts_with(PREFIX) && sum == checksum(name.as_bytes()) => {
            Ok(name.to_owned())
        }
        _ => Err(damaged(directory, CURRENT, "checksum mismatch".to_owned())),
    }
}

/// Why there is no CURRENT: there is no index, or the file is lost.
fn without(directory: &Path) -> OpenIndexError {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names.find(|name| is_later(name)) {
        Some(name) => damaged(directory, CURRENT, format!("it is missing, but `{name}` exists")),
        None => OpenIndexError::Absent { path: directory.to_owned() },
    }
}

/// Whether a name is that of a manifest after the first: then CURRENT existed.
pub(crate) fn is_later(name: &str) -> bool {
    let number = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with(FIRST));
    number.is_some() && is_ours(name)
}

/// The name of a generation's manifest.
pub(crate) fn file_name(generation: u64) -> String {
    format!("{PREFIX}{generation:06}")
}

/// Tells whether an index has files of such a name.
pub(crate) fn is_ours(name: &str) -> bool {
    let digits = |text: &str| text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (stem, suffix) = name.split_once('.').unwrap_or((name, ""));
    match stem.strip_prefix(PREFIX) {
        Some(number) => digits(number) && matches!(suffix, "" | "current"),
        None if matches!(name, CURRENT | super::LOCK) => true,
        None => {
            let number = |part: &str| part.parse::<u32>().is_ok();
            let (generation, part) = stem.split_once('-').unwrap_or_default();
            digits(generation) && number(part) && SUFFIXES.contains(&suffix)
        }
    }
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

fn damaged(directory: &Path, name: &str, what: String) -> OpenIndexError {
    OpenIndexError::Damaged { path: directory.join(name), what }
}

#[cfg(test)]
mod tests;
