//! What a collection stores of a document: a record for each of its passages.
//!
//! A record is a passage, with the title and the metadata of its document, under a key of its own.
//! The first passage has the id of the document as its key, so that a document that is one passage
//! is stored as it is, and that indexes of earlier versions are collections of such documents. A note
//! beside the text has the place of the passage.

use std::ops::Range;

use fastlane_corpus::Document;
use serde::{Deserialize, Serialize};

/// Between the id of a document and the number of a passage; no id has it.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Which part of its document a passage is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Passage {
    /// The number of the passage in its document, from 1.
    pub number: usize,
    /// How many passages the document has.
    pub of: usize,
    /// Its bytes of the text of the document: start, and end (exclusive).
    #[serde(with = "pair")]
    #[cfg_attr(feature = "openapi", schema(value_type = [usize; 2]))]
    pub bytes: Range<usize>,
    /// Its first and its last line in the text of the document, from 1.
    pub lines: [usize; 2],
    /// The page on which it begins, from 1, if the document has pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<usize>,
    /// The headings above it, the outermost first.
    #[serde(default)]
    pub headings: Vec<String>,
}

/// A range as a list of two numbers.
mod pair {
    use std::ops::Range;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(it: &Range<usize>, to: S) -> Result<S::Ok, S::Error> {
        [it.start, it.end].serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Range<usize>, D::Error> {
        <[usize; 2]>::deserialize(from).map(|[start, end]| start..end)
    }
}

/// What a backend stores under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The passage as a document: its key as the id, its text, and title and metadata of its
    /// document.
    pub(crate) document: Document,
    /// The place of the passage, as JSON; none for a document that is one passage.
    pub(crate) note: Option<String>,
}

/// The note of a record.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(flatten)]
    pub(crate) passage: Passage,
    /// The white space before the passage that is in none.
    pub(crate) before: String,
    /// The white space after the last passage.
    pub(crate) after: String,
}

/// The key of a passage, by its number from 1.
pub(crate) fn key(id: &str, number: usize) -> String {
    match number {
        1 => id.to_owned(),
        _ => format!("{id}{SEPARATOR}{number}"),
    }
}

/// The id of the document of a key.
pub(crate) fn document_of(key: &str) -> &str {
    key.split_once(SEPARATOR).map_or(key, |(id, _)| id)
}

/// The number of the passage of a key, from 1.
pub(crate) fn number_of(key: &str) -> usize {
    key.split_once(SEPARATOR).and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

/// Whether this is the key of a first passage, and so the id of a document.
pub(crate) fn is_first(key: &str) -> bool {
    !key.contains(SEPARATOR)
}

impl Record {
    /// A document as one record.
    pub(crate) fn whole(document: Document) -> Self {
        Self { document, note: None }
    }

    pub(crate) fn note(&self) -> Option<Note> {
        // a note of a later version may have more: the text is what counts
        serde_json::from_str(self.note.as_deref()?).ok()
    }

    /// The place of the passage in its document.
    pub(crate) fn passage(&self) -> Passage {
        let text = &self.document.text;
        let lines = [1, text.trim_end().lines().count().max(1)];
        let whole =
            || Passage { number: 1, of: 1, bytes: 0..text.len(), lines, ..Passage::default() };
        self.note().map_or_else(whole, |note| note.passage)
    }
}

/// Joins all records of a document, in order.
pub(crate) fn join(records: Vec<Record>) -> Option<Document> {
    let text = match records.first()?.note() {
        None => None,
        Some(note) => Some(note.before + &joined(&records)),
    };
    let mut whole = records.into_iter().next()?.document;
    whole.text = text.unwrap_or(whole.text);
    Some(whole)
}

/// The text of consecutive records, from the first one on.
pub(crate) fn joined(records: &[Record]) -> String {
    let mut text = String::new();
    let mut start = None;
    for record in records {
        let Some(Note { passage, before, after }) = record.note() else { continue };
        let start = *start.get_or_insert(passage.bytes.start);
        if !text.is_empty() {
            text += &before;
        }
        // a passage may repeat the end of the one before
        let repeated = (start + text.len()).saturating_sub(passage.bytes.start);
        text += record.document.text.get(repeated..).unwrap_or_default();
        text += &after;
    }
    text
}
