//! An index on disk: documents with stable ids, one *generation* after another.
//!
//! A [`Writer`] adds, replaces and deletes documents and commits; a [`Reader`] sees one generation
//! and moves to the next when asked. A generation is a manifest and the immutable files it names:
//! *segments* of documents, the centroids that all lists share, and attachments. A commit writes
//! new files, syncs them, and makes them hold by one rename: there is the old generation or the new
//! one, whole, whatever happens. Deletes are bits beside a segment until a compaction leaves the
//! deleted out. The files of a generation go when a newer one holds and no reader has it open.
//!
//! A document is views that are searched, and perhaps token views apart from them that only score;
//! both are kept document after document, as halves or as another [`Store`](crate::Store) of the
//! index says. From [`FEWEST_VIEWS`] on, views are found by
//! lists of codes ([`lists`](crate::lists)); below, all are looked at.
//!
//! What is defined for odd documents: one without views is kept and never found; a zero vector
//! scores 0; of several documents with one id the last holds.

mod bits;
mod check;
mod error;
mod list_builder;
mod manifest;
mod mapped;
mod partition;
mod problem;
mod reader;
mod segment;
mod segment_writer;
mod writer;

pub use check::Checked;
pub use error::{OpenIndexError, SearchError, WriteIndexError};
pub use manifest::IndexSettings;
pub use partition::FEWEST_VIEWS;
pub use problem::Problem;
pub use reader::{Reader, Statistics};
pub use writer::{NewDocument, Writer, WriterSettings};

pub(crate) use bits::Bits;
pub(crate) use segment::{Segment, StoredRows};

#[cfg(test)]
mod tests;

/// The file that a writer locks.
const LOCK: &str = "lock";
