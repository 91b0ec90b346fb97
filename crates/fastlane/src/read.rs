//! Reads documents, and parts of them, from a snapshot.

use std::ops::Range;

use fastlane_corpus::Document;

use crate::backend::Snapshot;
use crate::error::CollectionError;
use crate::record::{Passage, Record, is_first, join, joined, key};
use crate::stop::Stop;

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
    if !is_first(id) {
        return Ok(None);
    }
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
    if reach == 0 {
        return Ok(Default::default());
    }
    let first = passage.number.saturating_sub(reach).max(1);
    let last = passage.number.saturating_add(reach).min(passage.of);
    let records = some(snapshot, id, first..last + 1, until)?;
    let place = passage.number - first;
    let Some(own) = records.get(place) else { return Ok(Default::default()) };
    let length = own.document.text.len();
    let (before, after) = (joined(&records[..=place]), joined(&records[place..]));
    let cut = passage.bytes.start.saturating_sub(records[0].passage().bytes.start);
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
