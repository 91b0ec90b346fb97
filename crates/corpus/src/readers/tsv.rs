//! TSV with a header: tab-separated cells, read literally.
//!
//! `text/tab-separated-values` has no quotes and no escapes, so a `"` is a `"` and a cell can hold
//! neither a tab nor a line end. A file without a header is read by [`super::marco`]; which of the
//! two it is, [`has_header`] decides from the first line. It looks for the name of an id, not for
//! that of a text, since a first line `1<TAB>question` is a query of one word.

use super::columns::Names;
use super::lines::Lines;
use super::table::Record;
use crate::error::ReadError;

/// Peeks at the first line.
pub(super) fn has_header(lines: &mut Lines, names: &Names) -> Result<bool, ReadError> {
    let first = next_record(lines)?;
    lines.hold();
    Ok(first.is_some_and(|(_, cells)| names.in_header(&cells)))
}

/// The cells of the next filled line.
pub(super) fn next_record(lines: &mut Lines) -> Result<Option<Record>, ReadError> {
    let cells = lines.next_filled()?.map(|line| line.split('\t').map(String::from).collect());
    Ok(cells.map(|cells| (lines.place(), cells)))
}
