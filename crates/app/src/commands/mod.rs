//! The commands, one per file: glue between arguments, libraries and the printer.

pub(crate) mod bm25;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod delete;
pub(crate) mod encode;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod mcp;
pub(crate) mod quickstart;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod stat;
pub(crate) mod train;
