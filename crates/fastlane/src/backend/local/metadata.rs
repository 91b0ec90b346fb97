//! Collection metadata of each commit: the attachment `collection` of the index of views.
//!
//! ```text
//! {"format":3,"model":"/models/mini","words":"words-000007-5f3a9c01","files":[…],"tags":{…}}
//! ```
//!
//! Format 1 has no checksums of the lexical files, and one `mark` in place of the tags. In format 2,
//! each document is one passage. Both are read, and the next commit writes format 3.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastlane_durable::FileEntry;
use fastlane_engine::Reader;
use serde::{Deserialize, Serialize};

use super::lexical;
use crate::error::CollectionError;

/// The name of the attachment.
pub(crate) const ABOUT: &str = "collection";
/// The format that this program writes.
const FORMAT: u32 = 3;
/// The mark of indexes of `fastlane quickstart` in format 1.
const QUICKSTART: &str = "quickstart";
/// The tag that replaces all other marks of format 1: the last change applied from a journal.
const JOURNAL: &str = "journal";

/// The collection metadata of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CollectionMetadata {
    /// The path of the model; empty for an encoder without a file.
    pub(crate) model: PathBuf,
    /// The directory of its lexical index.
    pub(crate) words: String,
    /// The files in it; format 1 does not name them.
    pub(crate) files: Option<Vec<FileEntry>>,
    /// Tags: values that writers store for later ones, by name.
    pub(crate) tags: BTreeMap<String, String>,
}

/// The part that every format has; it is read first.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format1 {
    #[serde(rename = "format")]
    _format: u32,
    model: PathBuf,
    words: String,
    #[serde(default)]
    mark: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format3 {
    format: u32,
    model: PathBuf,
    words: String,
    files: Vec<FileEntry>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

impl CollectionMetadata {
    /// The content of the attachment of a generation.
    pub(crate) fn of(reader: &Reader, directory: &Path) -> Result<Self, CollectionError> {
        let path = reader.attachment(ABOUT);
        let path = path.ok_or_else(|| CollectionError::Absent { path: directory.to_owned() })?;
        let text = std::fs::read(&path)
            .map_err(|source| CollectionError::Read { path: path.clone(), source })?;
        let damaged = |what: String| CollectionError::Damaged { path: path.clone(), what };
        let broken = |error: serde_json::Error| damaged(error.to_string());
        let metadata = match serde_json::from_slice::<Version>(&text).map_err(broken)?.format {
            1 => serde_json::from_slice::<Format1>(&text).map_err(broken)?.into(),
            2 | FORMAT => serde_json::from_slice::<Format3>(&text).map_err(broken)?.into(),
            found => {
                let path = directory.to_owned();
                return Err(CollectionError::Format { path, found, wanted: FORMAT });
            }
        };
        let Self { words, files, .. } = &metadata;
        if lexical::generation_of(words).is_none() {
            return Err(damaged(format!("`{words}` is not a directory of words")));
        }
        let plain = |file: &&FileEntry| file.name.contains(['/', '\\']);
        match files.iter().flatten().find(plain) {
            Some(file) => Err(damaged(format!("`{}` is not the name of a file", file.name))),
            None => Ok(metadata),
        }
    }

    /// The path of the model, if it has one.
    pub(crate) fn location(&self) -> Option<PathBuf> {
        Some(self.model.clone()).filter(|path| !path.as_os_str().is_empty())
    }

    /// The bytes of the attachment.
    ///
    /// # Errors
    ///
    /// The path of the model is not UTF-8.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, CollectionError> {
        let Self { model, words, files, tags } = self.clone();
        let files = files.unwrap_or_default();
        let written = Format3 { format: FORMAT, model, words, files, tags };
        serde_json::to_vec_pretty(&written).map_err(|error| CollectionError::Write {
            path: self.model.clone(),
            source: error.into(),
        })
    }
}

impl From<Format1> for CollectionMetadata {
    fn from(Format1 { model, words, mark, .. }: Format1) -> Self {
        let tag = |mark: String| match mark.as_str() {
            QUICKSTART => (mark, String::new()),
            _ => (JOURNAL.to_owned(), mark),
        };
        Self { model, words, files: None, tags: mark.map(tag).into_iter().collect() }
    }
}

impl From<Format3> for CollectionMetadata {
    fn from(Format3 { model, words, files, tags, .. }: Format3) -> Self {
        Self { model, words, files: Some(files), tags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_format_1_becomes_a_tag() {
        let metadata = |mark: &str| {
            let text = format!(r#"{{"format":1,"model":"m","words":"words-000002"{mark}}}"#);
            CollectionMetadata::from(serde_json::from_str::<Format1>(&text).unwrap())
        };
        assert_eq!(metadata("").tags, BTreeMap::new());
        let quickstart = BTreeMap::from([("quickstart".to_owned(), String::new())]);
        assert_eq!(metadata(r#","mark":"quickstart""#).tags, quickstart);
        let journal = BTreeMap::from([("journal".to_owned(), "17".to_owned())]);
        assert_eq!(metadata(r#","mark":"17""#).tags, journal);
        assert_eq!(metadata("").files, None);
    }
}
