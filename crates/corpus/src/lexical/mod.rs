//! Lexical search: an inverted index on disk, BM25, and metadata filters.
//!
//! The life of a document: its title and text become words ([`Analyzer`]), its metadata becomes
//! facts (`lexical/facts.rs`), and [`LexicalWriter`] gives both to tantivy, which writes immutable
//! segments. [`LexicalReader`] answers from one commit: the query's words fetch their lists,
//! MaxScore (`lexical/search.rs`) ranks the documents on them, and a [`Filter`](crate::Filter),
//! compiled to one bitmap per segment, decides which may be returned.
//!
//! What a search returns depends on the surviving documents only, not on the number of threads,
//! the order of writes or the segments they ended up in: statistics are global and exact, sums
//! run in one order, and equal scores rank by falling id, compared by its bytes. That is the order
//! in which trec_eval judges a run, so a run cut at ten is judged like the first ten of a longer.
//!
//! Rejected: tantivy's own BM25 fixes `k1` and `b`, counts deleted documents until a merge, and
//! breaks ties by segment.

mod analyzer;
mod bits;
mod bm25;
mod directory;
mod error;
mod facts;
mod pace;
mod passing;
mod query;
mod reader;
mod schema;
mod search;
mod segment;
mod select;
mod top;
mod writer;

pub use analyzer::Analyzer;
pub use bm25::{Bm25, Bm25Error};
pub use error::{LexicalOpenError, LexicalSearchError, LexicalWriteError};
pub use passing::Passing;
pub use reader::{Hit, LexicalReader, LexicalSearch};
pub use schema::LexicalSettings;
pub use writer::LexicalWriter;
