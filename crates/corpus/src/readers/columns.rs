//! Maps columns to id, title, text and metadata.
//!
//! JSON objects and rows under a header are both rows of named fields; this file turns either into
//! a document or a query. Unless the settings name a column, well-known names are tried in a fixed
//! order and without regard to ASCII case, so that a random export reads without any settings.

use std::collections::HashSet;

use serde_json::Value;

use super::skipped::Unread;
use crate::document::{Document, Metadata, Query};
use crate::error::{Excerpt, Fault, Place, ReadError};
use crate::outline::Outline;

const DOCUMENT_IDS: &[&str] = &["_id", "id", "docid", "doc_id", "docno", "pid"];
const QUERY_IDS: &[&str] = &["_id", "id", "qid", "query_id"];
const TITLES: &[&str] = &["title"];
const DOCUMENT_TEXTS: &[&str] = &["text", "contents", "content", "body", "passage"];
const QUERY_TEXTS: &[&str] = &["text", "query", "question"];
const METADATA: &str = "metadata";

/// Names the columns of BEIR, JSONL, CSV and TSV where guessing would not do.
///
/// `None` tries the usual names, the first that is there wins:
/// - ids of documents: `_id`, `id`, `docid`, `doc_id`, `docno`, `pid`
/// - ids of queries: `_id`, `id`, `qid`, `query_id`
/// - titles: `title`; a document without one has the empty title
/// - texts of documents: `text`, `contents`, `content`, `body`, `passage`
/// - texts of queries: `text`, `query`, `question`
///
/// Queries have an id and a text only, so readers of them ignore `title` and `metadata`. Formats
/// without columns ([`Format::Marco`](crate::Format::Marco), [`Format::Texts`](crate::Format::Texts))
/// are not read when a column is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The column of the id: a string or a whole number.
    pub id: Option<String>,
    /// The column of the title.
    pub title: Option<String>,
    /// The column of the text.
    pub text: Option<String>,
    /// Which other columns become metadata.
    pub metadata: Keep,
}

/// Which of the columns besides id, title and text become metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Keep {
    /// All of them; the fields of an object called `metadata` are lifted out of it.
    #[default]
    Rest,
    /// Those with these names, lifted out of an object called `metadata` if need be; no names, no
    /// columns.
    Only(Vec<String>),
}

/// One row of named fields, and where it stood.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) fields: Metadata,
}

/// The names under which each part may stand, in the order in which they are tried.
pub(super) struct Names {
    id: Name,
    title: Name,
    text: Name,
    keep: Keep,
}

impl Names {
    pub(super) fn of_documents(columns: &Columns) -> Self {
        Self {
            id: Name::new("id", columns.id.as_ref(), DOCUMENT_IDS),
            title: Name::new("title", columns.title.as_ref(), TITLES),
            text: Name::new("text", columns.text.as_ref(), DOCUMENT_TEXTS),
            keep: columns.metadata.clone(),
        }
    }

    pub(super) fn of_queries(columns: &Columns) -> Self {
        Self {
            id: Name::new("id", columns.id.as_ref(), QUERY_IDS),
            title: Name::new("title", None, &[]),
            text: Name::new("text", columns.text.as_ref(), QUERY_TEXTS),
            keep: Keep::Only(Vec::new()),
        }
    }

    /// Whether the settings name a column, which only formats with columns can have.
    pub(super) fn are_given(&self) -> bool {
        let kept = matches!(&self.keep, Keep::Only(kept) if !kept.is_empty());
        kept || self.id.given || self.title.given || self.text.given
    }

    /// Whether these cells are a header: one of them is called as ids are, or the settings name a
    /// column.
    pub(super) fn in_header(&self, cells: &[String]) -> bool {
        self.are_given() || self.id.key(cells.iter()).is_some()
    }

    /// Makes sure that every column that must be there is in the header, and none is there twice.
    pub(super) fn check_header(&self, place: &Place, header: &[String]) -> Result<(), ReadError> {
        check_repetition(place, header)?;
        let wanted =
            [&self.id, &self.text].into_iter().chain(self.title.given.then_some(&self.title));
        for name in wanted {
            name.key(header.iter()).ok_or_else(|| name.missing(place, header.iter()))?;
        }
        let Keep::Only(kept) = &self.keep else { return Ok(()) };
        match kept.iter().find(|name| !header.contains(name)) {
            Some(name) => {
                let name = Name::new("metadata", Some(name), &[]);
                Err(name.missing(place, header.iter()))
            }
            None => Ok(()),
        }
    }

    /// The document of a row, or the error with the id as far as it is known.
    pub(super) fn document(&self, mut row: Row) -> Result<Document, Unread> {
        let id = self.id.take_id(&mut row)?;
        match self.document_of(row) {
            Ok(document) => Ok(Document { id, ..document }),
            Err(why) => Err(Unread { id: Some(id), why }),
        }
    }

    /// A document without its id.
    fn document_of(&self, mut row: Row) -> Result<Document, ReadError> {
        // taken before the title, because the settings may use the title as the text
        let text = self.text.take_string(&mut row)?;
        let title = match self.title.take(&mut row) {
            None | Some((_, Value::Null)) => String::new(),
            Some((key, value)) => string(&row.place, &key, value)?,
        };
        let (metadata, outline) = (self.keep.metadata(row.fields), outline_of(&text));
        Ok(Document { id: String::new(), title, text, metadata, outline })
    }

    pub(super) fn query(&self, mut row: Row) -> Result<Query, ReadError> {
        Ok(Query { id: self.id.take_id(&mut row)?, text: self.text.take_string(&mut row)? })
    }
}

/// The outline of the text of a record, which says nothing of its kind.
pub(super) fn outline_of(text: &str) -> Outline {
    Outline::of_record(text)
}

fn check_repetition(place: &Place, header: &[String]) -> Result<(), ReadError> {
    let mut seen = HashSet::new();
    match header.iter().find(|name| !name.is_empty() && !seen.insert(*name)) {
        Some(name) => Err(place.error(Fault::RepeatedColumn { name: Excerpt::of(name) })),
        None => Ok(()),
    }
}

/// The names of one part.
struct Name {
    role: &'static str,
    names: Vec<String>,
    given: bool,
}

impl Name {
    fn new(role: &'static str, given: Option<&String>, usual: &[&str]) -> Self {
        let names = match given {
            Some(name) => vec![name.clone()],
            None => usual.iter().map(ToString::to_string).collect(),
        };
        Self { role, names, given: given.is_some() }
    }

    fn key<'k>(&self, mut keys: impl Iterator<Item = &'k String> + Clone) -> Option<&'k String> {
        if self.given {
            return keys.find(|key| **key == self.names[0]);
        }
        self.names.iter().find_map(|name| keys.clone().find(|key| key.eq_ignore_ascii_case(name)))
    }

    fn take(&self, row: &mut Row) -> Option<(String, Value)> {
        let key = self.key(row.fields.keys())?.clone();
        row.fields.remove_entry(&key)
    }

    fn take_string(&self, row: &mut Row) -> Result<String, ReadError> {
        match self.take(row) {
            Some((key, value)) => string(&row.place, &key, value),
            None => Err(self.missing(&row.place, row.fields.keys())),
        }
    }

    fn take_id(&self, row: &mut Row) -> Result<String, ReadError> {
        let id = match self.take(row) {
            Some((_, Value::String(id))) => id,
            Some((_, Value::Number(id))) if !id.is_f64() => id.to_string(),
            Some((key, other)) => {
                return Err(wrong_type(&row.place, &key, &other, "a string or a whole number"));
            }
            None => return Err(self.missing(&row.place, row.fields.keys())),
        };
        check_id(&row.place, &id)?;
        Ok(id)
    }

    fn missing<'k>(&self, place: &Place, found: impl Iterator<Item = &'k String>) -> ReadError {
        place.error(Fault::MissingColumn {
            role: self.role,
            found: found.cloned().collect(),
            wanted: self.names.clone(),
        })
    }
}

impl Keep {
    fn metadata(&self, mut fields: Metadata) -> Metadata {
        match fields.remove(METADATA) {
            Some(Value::Object(nested)) => fields.extend(nested),
            None | Some(Value::Null) => {}
            Some(other) => {
                fields.insert(METADATA.into(), other);
            }
        }
        if let Self::Only(kept) = self {
            fields.retain(|name, _| kept.contains(name));
        }
        fields
    }
}

/// Accepts an id unless it is blank or has a character that would break a line of a run file.
///
/// Spaces are let through, since ids of BEIR collections have them; writers that cannot carry
/// them say so.
pub(super) fn check_id(place: &Place, id: &str) -> Result<(), ReadError> {
    if id.trim().is_empty() || id.contains(char::is_control) {
        return Err(place.error(Fault::BadId { found: Excerpt::of(id) }));
    }
    Ok(())
}

fn string(place: &Place, key: &str, value: Value) -> Result<String, ReadError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(place, key, &other, "a string")),
    }
}

fn wrong_type(place: &Place, key: &str, found: &Value, wanted: &'static str) -> ReadError {
    let (field, found) = (Excerpt::of(key), Excerpt::of(&found.to_string()));
    place.error(Fault::WrongType { field, found, wanted })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn row(fields: Value) -> Row {
        let Value::Object(fields) = fields else { panic!("{fields} is no object") };
        Row { place: Place { path: Path::new("memory").into(), line: 1 }, fields }
    }

    fn document(columns: &Columns, fields: Value) -> Document {
        Names::of_documents(columns).document(row(fields)).map_err(|bad| bad.why).unwrap()
    }

    #[test]
    fn usual_names_are_tried_in_order_and_without_regard_to_case() {
        let found = document(
            &Columns::default(),
            json!({ "id": "no", "_ID": 7, "Body": "last", "CONTENTS": "first" }),
        );
        assert_eq!((found.id.as_str(), found.text.as_str()), ("7", "first"));
        assert_eq!(Value::Object(found.metadata), json!({ "id": "no", "Body": "last" }));
    }

    #[test]
    fn given_names_are_taken_by_the_letter_and_metadata_is_lifted() {
        let columns = Columns {
            id: Some("Key".into()),
            text: Some("title".into()),
            metadata: Keep::Only(vec!["year".into(), "tag".into()]),
            ..Columns::default()
        };
        let fields = json!({
            "key": 1, "Key": "k", "title": "t", "tag": "a", "metadata": { "year": 2020, "tag": "b", "x": 1 }
        });
        let found = document(&columns, fields);
        assert_eq!((found.id.as_str(), found.text.as_str()), ("k", "t"));
        assert_eq!(Value::Object(found.metadata), json!({ "tag": "b", "year": 2020 }));
    }

    #[test]
    fn metadata_that_is_no_object_stays_a_field() {
        let kept = |metadata| {
            let fields = json!({ "id": "a", "text": "", "metadata": metadata });
            Value::Object(document(&Columns::default(), fields).metadata)
        };
        assert_eq!(kept(json!("red")), json!({ "metadata": "red" }));
        assert_eq!(kept(Value::Null), json!({}));
    }
}
