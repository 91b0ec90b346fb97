//! The commands, one per file: glue between arguments, libraries and the printer.

use std::path::{Path, PathBuf};

use fastlane::Collection;

pub(crate) mod bm25;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod convert;
pub(crate) mod delete;
pub(crate) mod encode;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod manual;
pub(crate) mod mcp;
pub(crate) mod quickstart;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod stat;
pub(crate) mod train;

/// Where the views of an index lie: in a collection's own directory, or there.
fn views_of(index: &Path) -> PathBuf {
    match Collection::is_there(index) {
        true => Collection::views(index),
        false => index.to_owned(),
    }
}
