//! The commands, one per file: glue between arguments, libraries and the printer.

use std::path::Path;

use anyhow::Context as _;
use fastlane::{Kind, kind};

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

/// Whether a path is a collection of documents, intact or damaged.
fn is_collection(index: &Path) -> anyhow::Result<bool> {
    let kind = kind(index).with_context(|| format!("cannot read `{}`", index.display()))?;
    Ok(kind == Kind::Collection)
}
