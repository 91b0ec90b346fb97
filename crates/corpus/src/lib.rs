//! Readers of documents and queries, and lexical search over them.

mod document;
mod error;
mod filter;
mod lexical;
mod outline;
mod passages;
mod readers;
mod source;

pub use document::{Document, Metadata, Query};
pub use error::{Excerpt, Fault, Packing, Place, ReadError};
pub use filter::{Filter, FilterError};
pub use lexical::{
    Analyzer, Bm25, Bm25Error, Hit, LexicalOpenError, LexicalReader, LexicalSearch,
    LexicalSearchError, LexicalSettings, LexicalWriteError, LexicalWriter, Passing,
};
pub use outline::{Heading, Outline};
pub use passages::{Passage, PassageSettings, passages, words};
pub use readers::{
    Columns, Documents, Format, IdTriple, IdTriples, Keep, LeftOut, LeftOutKind, OnError, Part,
    Queries, ReadSettings, Records, Reencoded, Skipped, Triple, Triples,
};
pub use source::{Progress, Source};
