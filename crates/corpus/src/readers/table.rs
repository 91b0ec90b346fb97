//! Records of cells under a header of names: what CSV and TSV have in common.
//!
//! Columns without a name, which spreadsheets append, are skipped: they cannot be referred to.

use serde_json::Value;

use super::columns::{Names, Row};
use super::lines::Lines;
use crate::error::{Fault, Place, ReadError};

/// The cells of one record, and where it begins.
pub(super) type Record = (Place, Vec<String>);

/// How a format gets its next record.
pub(super) type NextRecord = fn(&mut Lines) -> Result<Option<Record>, ReadError>;

/// Reads the header, which must have all the wanted columns once, and returns the rows below it.
pub(super) fn rows(
    lines: &mut Lines,
    names: &Names,
    next_record: NextRecord,
) -> Result<impl FnMut(&mut Lines) -> Result<Option<Row>, ReadError> + use<>, ReadError> {
    let header = match next_record(lines)? {
        Some((place, header)) => {
            names.check_header(&place, &header)?;
            header
        }
        None => Vec::new(),
    };
    Ok(move |lines: &mut Lines| {
        next_record(lines)?.map(|record| named(&header, record)).transpose()
    })
}

fn named(header: &[String], (place, cells): Record) -> Result<Row, ReadError> {
    let (found, wanted) = (cells.len(), header.len());
    if found != wanted {
        return Err(place.error(Fault::ColumnCount { found, wanted }));
    }
    let named = header.iter().cloned().zip(cells.into_iter().map(Value::String));
    Ok(Row { place, fields: named.filter(|(name, _)| !name.is_empty()).collect() })
}
