//! The manifest of a generation: its settings and its files, with their checksums.
//!
//! ```text
//! CURRENT               generation-000007 5a3c…      the current manifest, and a checksum
//! generation-000007     fastlane-index 1 91bd…       the format, and a checksum of what follows
//!                       {"generation":7,…}
//! 000007-0.views …      files of the segment that generation 7 added
//! ```
//!
//! A commit writes new files, then a manifest. Last, it replaces CURRENT by a rename. This rename
//! is the only moment at which anything changes for readers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use fastlane_durable::{FileEntry, Storage, try_lock, write_file};
use serde::{Deserialize, Serialize};

use super::error::OpenIndexError;
use crate::codec::Store;

/// The name of the file that names the current manifest.
///
/// [`Storage::rename`] in [`Manifest::commit`] is the only way to change it.
pub(crate) const CURRENT: &str = "CURRENT";
/// The only format so far.
const FORMAT: u32 = 1;
const MAGIC: &str = "fastlane-index";
const PREFIX: &str = "generation-";
const FIRST: &str = "000001";
/// The suffixes of the other file names.
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

/// The settings that are fixed when an index is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSettings {
    /// The dimension of the searched views.
    pub dim: usize,
    /// The dimension of the token views, if documents have these apart from the searched views.
    #[serde(default)]
    pub token_dim: Option<usize>,
    /// Whether the searched views are lane views, and there are no token views. Such an index
    /// nominates documents, and cannot score by late interaction. Otherwise, without a `token_dim`,
    /// the searched views are token views, and serve for both.
    #[serde(default)]
    pub lanes_only: bool,
    /// The fingerprint of the model that made the views; empty if unknown.
    #[serde(default)]
    pub model: String,
    /// How the values of views are stored.
    #[serde(default)]
    pub store: Store,
}

impl IndexSettings {
    /// A dimension that is not supported, if there is one.
    pub(crate) fn odd_dim(&self) -> Option<usize> {
        let odd = |dim: &usize| !dim.is_multiple_of(8) || !(8..=1024).contains(dim);
        [Some(self.dim), self.token_dim].into_iter().flatten().find(odd)
    }
}

/// A generation: everything that a reader needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) generation: u64,
    pub(crate) settings: IndexSettings,
    pub(crate) partition: Option<PartitionEntry>,
    pub(crate) segments: Vec<SegmentEntry>,
    #[serde(default)]
    pub(crate) attachments: BTreeMap<String, FileEntry>,
}

/// The centroids that all lists share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartitionEntry {
    pub(crate) file: FileEntry,
    /// The number of views when it was trained.
    pub(crate) views: u64,
    /// The length of the longest list then.
    #[serde(default)]
    pub(crate) longest: u64,
    /// The seed of the rotation of codes and of the sample.
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
    /// Encoded with the [`Store`] of the index.
    pub(crate) rows: FileEntry,
    /// Where the views of each document end: u64.
    pub(crate) ends: FileEntry,
    /// The position of each view among those that its document was added with: u32. Absent if all
    /// views were kept.
    pub(crate) positions: Option<FileEntry>,
}

/// The views of a segment, grouped by centroid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListsEntry {
    /// The kind of codes: [`ONE_BIT`], the only kind so far.
    #[serde(default = "one_bit")]
    pub(crate) code: String,
    /// Where each list ends: u64.
    pub(crate) ends: FileEntry,
    /// Codes in blocks.
    pub(crate) codes: FileEntry,
    /// The factor of each code: f32.
    pub(crate) factors: FileEntry,
    /// The view number of each code: u32.
    pub(crate) numbers: FileEntry,
}

/// Codes of one bit per value, with a factor per code.
pub(crate) const ONE_BIT: &str = "1bit";

fn one_bit() -> String {
    ONE_BIT.to_owned()
}

/// Deleted documents.
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

    /// Reads the current manifest, and locks it so that no writer removes the files that it names.
    pub(crate) fn current(directory: &Path) -> Result<(Self, File), OpenIndexError> {
        loop {
            let name = current_name(directory)?;
            match Self::open(directory, &name)? {
                Some(found) => return Ok(found),
                // a writer removed it meanwhile: there is a newer one, unless CURRENT is damaged
                None if current_name(directory)? == name => {
                    let what = format!("it names `{name}`, which is missing");
                    return Err(damaged(directory, CURRENT, what));
                }
                None => {}
            }
        }
    }

    /// Reads a manifest under a shared lock; `None` if it is missing.
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

    /// Reads a manifest without a lock; `None` if it is missing.
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
        // only the format field has the same place in all formats
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

    /// A kind of codes that is unknown here, as a newer program wrote it.
    fn unknown_code(&self) -> Option<String> {
        let mut lists = self.segments.iter().filter_map(|segment| segment.lists.as_ref());
        lists.find(|lists| lists.code != ONE_BIT).map(|lists| lists.code.clone())
    }

    /// A contradiction within the manifest; searches rely on there being none.
    fn contradiction(&self) -> Option<String> {
        if let Some(dim) = self.settings.odd_dim() {
            return Some(format!("invalid view dimension {dim}"));
        }
        let apart = self.settings.token_dim.is_some();
        let other = self.segments.iter().any(|segment| segment.tokens.is_some() != apart);
        other.then(|| "its segments have other views than its settings say".to_owned())
    }

    /// Writes the manifest and makes it the current one.
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

    /// Returns whether a directory has an index, even if one of its files is lost.
    ///
    /// Without CURRENT there are only the files of a first commit that was not completed.
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

    /// All files that the manifest names.
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

    /// The number of deleted documents.
    pub(crate) fn deleted(&self) -> u32 {
        self.deleted.as_ref().map_or(0, |deleted| deleted.documents)
    }
}

/// The content of CURRENT: the name of the current manifest.
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

/// The error for a missing CURRENT: there is no index, or the file is lost.
fn without(directory: &Path) -> OpenIndexError {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    match names.find(|name| is_later(name)) {
        Some(name) => damaged(directory, CURRENT, format!("it is missing, but `{name}` exists")),
        None => OpenIndexError::Absent { path: directory.to_owned() },
    }
}

/// Whether this is the name of a manifest after the first one: then CURRENT must exist.
pub(crate) fn is_later(name: &str) -> bool {
    let number = name.strip_prefix(PREFIX).filter(|rest| !rest.starts_with(FIRST));
    number.is_some() && is_ours(name)
}

/// The name of a generation's manifest.
pub(crate) fn file_name(generation: u64) -> String {
    format!("{PREFIX}{generation:06}")
}

/// Returns whether an index has files of such a name.
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
