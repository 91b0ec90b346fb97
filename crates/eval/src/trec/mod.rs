//! The file formats of evaluation: TREC runs, TREC qrels, BEIR qrels.
//!
//! A file is read whole and parsed in place: 1M lines are 50 MB of text and under half a second.
//! trec_eval accepts many errors (a shifted column, two runs in one file, a NaN) and then prints a
//! number; here each of these is a [`ReadError`] that names the line. Harmless variants are
//! accepted: CRLF, a byte order mark, blank lines, `#` comments, tabs or spaces.

mod error;
mod qrels_file;
mod run_file;
mod text;

pub use error::{Fault, FileKind, ReadError, WriteError};
pub use qrels_file::QrelsFormat;
pub use run_file::check_id;
