//! An index on disk: documents with stable ids, one *generation* after another.
//!
//! A [`Writer`] adds, replaces and deletes documents and commits. A [`Reader`] sees one generation
//! and moves to the next on request. A generation is a manifest and the immutable files it names:
//! *segments* of documents, the centroids that all lists share, and attachments. A commit writes
//! new files, syncs them, and makes them current by one rename: after a crash there is either the
//! old generation or the new one, complete. Deletes are bits next to a segment until a compaction
//! drops the deleted documents. The files of a generation are removed when a newer one is current
//! and no reader has it open.
//!
//! A document has views that are searched, and perhaps separate token views that only score. Both
//! are stored document after document, as halves or as another [`Store`](crate::Store) of the
//! index. From [`FEWEST_VIEWS`] on, views are found by inverted lists of codes
//! ([`lists`](crate::lists)); below, all views are scanned.
//!
//! The behaviour for odd documents is defined: one without views is stored and never found; a zero
//! vector scores 0; of several documents with one id the last is kept.

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

pub use check::CheckReport;
pub use error::{OpenIndexError, SearchError, WriteIndexError};
pub use manifest::IndexSettings;
pub use partition::FEWEST_VIEWS;
pub use problem::Problem;
pub use reader::{Reader, Statistics};
pub use writer::{NewDocument, Writer, WriterSettings};

pub(crate) use bits::Bits;
pub(crate) use partition::CoarseQuantizer;
pub(crate) use segment::{Lists, Segment, StoredRows};

#[cfg(test)]
mod tests;

/// The file that a writer locks.
const LOCK: &str = "lock";
