//! Documents and queries as people have them, and lexical search over them.

mod document;

pub use document::{Document, Metadata, Query};
