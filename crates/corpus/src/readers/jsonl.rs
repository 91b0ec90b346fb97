//! JSONL: one JSON object per line, as BEIR and most exports have it. Blank lines are skipped.

use serde_json::Value;

use super::columns::Row;
use super::lines::Lines;
use crate::document::Metadata;
use crate::error::{Excerpt, Fault, ReadError};

/// The object on the next filled line.
pub(super) fn next_row(lines: &mut Lines) -> Result<Option<Row>, ReadError> {
    let Some(line) = lines.next_filled()? else { return Ok(None) };
    match parse(line) {
        Ok(fields) => Ok(Some(Row { place: lines.place(), fields })),
        Err(fault) => Err(lines.place().error(fault)),
    }
}

fn parse(line: &str) -> Result<Metadata, Fault> {
    let broken = |column, reason| Fault::Json { column, reason, found: Excerpt::of(line) };
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(broken(1, "expected an object".into())),
        Err(error) => Err(broken(error.column(), reason(&error))),
    }
}

/// The error of the parser without its "at line 1", which would be taken for the first line of the
/// file.
fn reason(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let end = whole.rfind(" at line ").unwrap_or(whole.len());
    whole[..end].to_string()
}
