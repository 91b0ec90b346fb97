//! Documents as passages: how a document is split, stored and joined again.
//!
//! What backends store is a [`Record`]: a passage, with the title and the metadata of its document,
//! under a key of its own. The first passage has the id of the document as its key, so that a
//! document that is one passage is stored as it is, and that indexes of earlier versions are
//! collections of such documents. A note beside the text has the place of the passage.

use std::ops::Range;

use fastlane_corpus::{Document, Outline, PassageSettings, passages, words};
use fastlane_engine::Encoder;
use serde::{Deserialize, Serialize};

use crate::backend::Snapshot;
use crate::error::CollectionError;
use crate::stop::Stop;

/// Between the id of a document and the number of a passage; no id has it.
pub(crate) const SEPARATOR: char = '\u{1f}';
/// The default size of a passage in tokens, and how many of them it repeats from the one before.
const TOKENS: usize = 180;
const OVERLAP: usize = 27;

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
struct Note {
    #[serde(flatten)]
    passage: Passage,
    /// The white space before the passage that is in none.
    before: String,
    /// The white space after the last passage.
    after: String,
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

    fn note(&self) -> Option<Note> {
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

/// How documents are split for an encoder.
pub(crate) struct Splitter<'a> {
    encoder: &'a dyn Encoder,
    settings: Option<PassageSettings>,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(encoder: &'a dyn Encoder, settings: Option<PassageSettings>) -> Self {
        Self { encoder, settings }
    }

    /// The records of a document, at least one.
    pub(crate) fn split(&self, mut document: Document) -> Vec<Record> {
        if document.outline == Outline::default() {
            document.outline = Outline::of_record(&document.text);
        }
        let found = match self.encoder.document_limit() {
            None => passages(&document, self.settings.unwrap_or_default(), &words),
            Some(limit) => {
                let settings = self.settings.unwrap_or(PassageSettings {
                    size: TOKENS,
                    overlap: OVERLAP,
                    whole: usize::MAX,
                });
                // half of the tokens at most are left to a title
                let title = self.encoder.count_tokens(&document.title).min(limit / 2);
                let whole = settings.whole.min(limit - title).max(1);
                let size = settings.size.min(whole);
                let overlap = settings.overlap.min(size / 2);
                let settings = PassageSettings { size, overlap, whole };
                passages(&document, settings, &|text| self.encoder.count_tokens(text))
            }
        };
        records(document, &found)
    }
}

/// The records of the passages of a document.
fn records(document: Document, passages: &[fastlane_corpus::Passage]) -> Vec<Record> {
    let Document { id, title, text, metadata, outline } = document;
    let plain = outline.headings.is_empty() && outline.pages.is_empty();
    if passages.is_empty() || passages.len() == 1 && plain {
        return vec![Record::whole(Document { id, title, text, metadata, ..Document::default() })];
    }
    let (of, mut end) = (passages.len().max(1), 0);
    let mut record = |(number, it): (usize, &fastlane_corpus::Passage)| {
        let last = number == of;
        let note = Note {
            passage: Passage {
                number,
                of,
                bytes: it.bytes.clone(),
                lines: [it.lines.start, it.lines.end.max(it.lines.start + 1) - 1],
                page: it.page,
                headings: it.headings.clone(),
            },
            before: text[end.min(it.bytes.start)..it.bytes.start].to_owned(),
            after: if last { text[it.bytes.end..].to_owned() } else { String::new() },
        };
        end = it.bytes.end;
        let note = serde_json::to_string(&note).expect("a note is plain JSON");
        let (title, metadata) = (title.clone(), metadata.clone());
        let text = text[it.bytes.clone()].to_owned();
        let document =
            Document { id: key(&id, number), title, text, metadata, ..Document::default() };
        Record { document, note: Some(note) }
    };
    (1..).zip(passages).map(&mut record).collect()
}

/// Joins all records of a document, in order.
fn join(records: Vec<Record>) -> Option<Document> {
    let text = match records.first()?.note() {
        None => None,
        Some(note) => Some(note.before + &joined(&records)),
    };
    let mut whole = records.into_iter().next()?.document;
    whole.text = text.unwrap_or(whole.text);
    Some(whole)
}

/// The text of consecutive records, from the first one on.
fn joined(records: &[Record]) -> String {
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

/// How many passages a document has; 0 if there is none with this id.
pub(crate) fn count(snapshot: &dyn Snapshot, id: &str) -> Result<usize, CollectionError> {
    let first = snapshot.fetch(&[id], &Stop::default())?.pop().flatten();
    Ok(first.map_or(0, |record| record.passage().of))
}

/// A whole document.
pub(crate) fn document(
    snapshot: &dyn Snapshot,
    id: &str,
    until: &Stop,
) -> Result<Option<Document>, CollectionError> {
    let Some(first) = snapshot.fetch(&[id], until)?.pop().flatten() else { return Ok(None) };
    let mut records = vec![first];
    let of = records[0].passage().of;
    records.extend(some(snapshot, id, 2..of + 1, until)?);
    Ok(join(records))
}

/// The text of the document before and after a passage, as far as some passages to each side.
pub(crate) fn context(
    snapshot: &dyn Snapshot,
    id: &str,
    passage: &Passage,
    reach: usize,
    until: &Stop,
) -> Result<[String; 2], CollectionError> {
    let first = passage.number.saturating_sub(reach).max(1);
    let last = passage.number.saturating_add(reach).min(passage.of);
    let records = some(snapshot, id, first..last + 1, until)?;
    let place = passage.number - first;
    let Some(own) = records.get(place) else { return Ok(Default::default()) };
    let length = own.document.text.len();
    let (before, after) = (joined(&records[..=place]), joined(&records[place..]));
    let cut = before.len().saturating_sub(length);
    let [before, after] = [before.get(..cut), after.get(length..)];
    Ok([before, after].map(|text| text.unwrap_or_default().to_owned()))
}

/// A passage with those around it, as one text.
pub(crate) fn with_context(
    snapshot: &dyn Snapshot,
    (id, number): (&str, usize),
    reach: usize,
    until: &Stop,
) -> Result<Option<Document>, CollectionError> {
    let own = match number {
        0 => None,
        _ => snapshot.fetch(&[&key(id, number)], until)?.pop().flatten(),
    };
    let Some(own) = own else { return Ok(None) };
    let [before, after] = context(snapshot, id, &own.passage(), reach, until)?;
    let mut document = own.document;
    document.id = id.to_owned();
    document.text = before + &document.text + &after;
    Ok(Some(document))
}

/// Some passages of a document, by their numbers.
fn some(
    snapshot: &dyn Snapshot,
    id: &str,
    numbers: Range<usize>,
    until: &Stop,
) -> Result<Vec<Record>, CollectionError> {
    let keys: Vec<String> = numbers.map(|number| key(id, number)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Ok(snapshot.fetch(&keys, until)?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use fastlane_corpus::Outline;
    use proptest::prelude::*;

    use super::*;

    fn records_of(text: &str, size: usize, overlap: usize) -> Vec<Record> {
        let document = Document {
            id: "d".to_owned(),
            title: "T".to_owned(),
            text: text.to_owned(),
            outline: Outline::markdown(text),
            ..Document::default()
        };
        let settings = PassageSettings { size, overlap, whole: size };
        let found = passages(&document, settings, &words);
        records(document, &found)
    }

    #[test]
    fn a_document_becomes_passages_with_their_headings() {
        let text = "# Light\n\nIt is fast.\n\n# Sound\n\nIt is slower.\n";
        let records = records_of(text, 5, 0);
        let keys: Vec<&str> = records.iter().map(|it| &*it.document.id).collect();
        assert_eq!(keys, ["d", "d\u{1f}2"]);
        assert!(keys.iter().all(|key| document_of(key) == "d"));
        let second = records[1].passage();
        let wanted = Passage {
            number: 2,
            of: 2,
            bytes: 22..44,
            lines: [5, 7],
            page: None,
            headings: vec!["Sound".to_owned()],
        };
        assert_eq!((second, &*records[1].document.text), (wanted, "# Sound\n\nIt is slower."));
        assert_eq!(join(records).unwrap().text, text);
    }

    #[test]
    fn a_short_text_is_stored_as_it_is() {
        let records = records_of(" nine ships\n", 5, 0);
        assert_eq!((records.len(), &records[0].note), (1, &None));
        assert_eq!(records[0].document.text, " nine ships\n");
        let wanted =
            Passage { number: 1, of: 1, bytes: 0..12, lines: [1, 1], ..Passage::default() };
        assert_eq!(records[0].passage(), wanted);
        assert_eq!(records_of("", 5, 0).len(), 1);
    }

    proptest! {
        /// Whatever the text is, joining its passages gives it back.
        #[test]
        fn joining_passages_gives_the_document(
            text in "( |\n|\n\n|# [a-z]{1,4}\n|[a-zß語]{1,9}[.!]? ){0,60}",
            size in 1..12_usize,
            overlap in 0..5_usize,
        ) {
            let records = records_of(&text, size, overlap);
            prop_assert!(!records.is_empty());
            for (number, record) in (1..).zip(&records) {
                let passage = record.passage();
                prop_assert_eq!((passage.number, passage.of), (number, records.len()));
                prop_assert_eq!(&text[passage.bytes], &record.document.text);
                prop_assert_eq!(&record.document.id, &key("d", number));
            }
            prop_assert_eq!(join(records).unwrap().text, text);
        }
    }
}
