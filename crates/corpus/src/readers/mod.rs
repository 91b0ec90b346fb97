//! Readers that stream documents, queries or triples from files and folders.
//!
//! [`Documents::open`](Records::open) detects the format from the path. A [`Source`](crate::Source)
//! unpacks the bytes, `Lines` cuts them under a bound, the format's file makes rows of named fields
//! or pairs of id and text of the lines, and [`Columns`] makes records of those. Nothing is kept
//! once it is handed out: memory is bounded by the longest line, or by the largest file of a
//! folder.
//!
//! A new format of records is one file here, its `mod` line, and its arm in `Format` and
//! `records::entries`. A new format of texts is one file in `texts`.
//!
//! ```
//! use fastlane_corpus::{Documents, Format, ReadSettings, Source};
//!
//! let csv = "id,title,text,year\nd1,Gravity,Masses attract.,1687\n";
//! let source = Source::from_reader(csv.as_bytes(), "physics.csv")?;
//! for document in Documents::from_source(source, &ReadSettings::default())? {
//!     let document = document?;
//!     assert_eq!((document.id.as_str(), document.title.as_str()), ("d1", "Gravity"));
//!     assert_eq!(document.metadata["year"], "1687");
//! }
//! # Ok::<(), fastlane_corpus::ReadError>(())
//! ```

mod beir;
mod columns;
mod csv;
mod format;
mod jsonl;
mod lines;
mod marco;
mod records;
mod several;
mod skipped;
mod stream;
mod table;
mod texts;
mod tsv;

pub use columns::{Columns, Keep};
pub use format::Format;
pub use marco::{IdTriple, Triple};
pub use records::{Documents, IdTriples, Queries, Triples};
pub use skipped::{LeftOut, LeftOutKind, OnError, Part, Reencoded, Skipped};
pub use stream::{ReadSettings, Records};
