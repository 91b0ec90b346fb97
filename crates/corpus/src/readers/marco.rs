//! MS MARCO's files: tab-separated columns without a header; quotes are literal.
//!
//! `collection.tsv` and `queries.*.tsv` are pairs of id and text, `triples.train.small.tsv` has
//! three texts a line, `qidpidtriples.*.tsv` three ids.

use super::columns::check_id;
use super::lines::Lines;
use crate::error::{Fault, ReadError};

/// A training example by its texts: a query, a passage that answers it, one that does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triple {
    /// The text of the query.
    pub query: String,
    /// A passage that answers it.
    pub positive: String,
    /// A passage that does not.
    pub negative: String,
}

/// A training example by its ids, to be looked up in queries and collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTriple {
    /// The query's id.
    pub query: String,
    /// The id of a passage that answers it.
    pub positive: String,
    /// The id of a passage that does not.
    pub negative: String,
}

/// The id and the text on the next filled line.
pub(super) fn next_pair(lines: &mut Lines) -> Result<Option<[String; 2]>, ReadError> {
    let Some([id, text]) = next_cells(lines)? else { return Ok(None) };
    check_id(&lines.place(), &id)?;
    Ok(Some([id, text]))
}

pub(super) fn next_triple(lines: &mut Lines) -> Result<Option<Triple>, ReadError> {
    let Some([query, positive, negative]) = next_cells(lines)? else { return Ok(None) };
    Ok(Some(Triple { query, positive, negative }))
}

pub(super) fn next_id_triple(lines: &mut Lines) -> Result<Option<IdTriple>, ReadError> {
    let Some(ids) = next_cells::<3>(lines)? else { return Ok(None) };
    for id in &ids {
        check_id(&lines.place(), id)?;
    }
    let [query, positive, negative] = ids;
    Ok(Some(IdTriple { query, positive, negative }))
}

fn next_cells<const N: usize>(lines: &mut Lines) -> Result<Option<[String; N]>, ReadError> {
    let Some(line) = lines.next_filled()? else { return Ok(None) };
    let cells: Vec<&str> = line.splitn(N + 1, '\t').collect();
    match <[&str; N]>::try_from(cells) {
        Ok(cells) => Ok(Some(cells.map(String::from))),
        Err(_) => {
            let found = line.split('\t').count();
            Err(lines.place().error(Fault::ColumnCount { found, wanted: N }))
        }
    }
}
