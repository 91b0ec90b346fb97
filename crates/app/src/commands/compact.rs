//! `fastlane compact`: rewrites an index without deleted documents.

use fastlane::{Collection, CollectionWriter};
use fastlane_engine::{Reader, Statistics, Writer};
use serde::Serialize;

use super::index::{commit, commit_documents, settings_of};
use super::is_collection;
use crate::args::CompactArgs;
use crate::printer::Printer;
use crate::table::bytes;

pub(crate) fn run(args: &CompactArgs, printer: &Printer) -> anyhow::Result<()> {
    let (before, after) = match is_collection(&args.index)? {
        true => documents(args, printer)?,
        false => views(args, printer)?,
    };
    printer.note(&format!(
        "segments: {} (was {}), {} (was {}), deleted documents removed: {}",
        after.segments,
        before.segments,
        bytes(after.bytes),
        bytes(before.bytes),
        before.deleted
    ));
    if args.json { printer.json(&Summary { before, after }) } else { Ok(()) }
}

/// Compacts a collection; returns its statistics before and after.
fn documents(args: &CompactArgs, printer: &Printer) -> anyhow::Result<(Statistics, Statistics)> {
    let collection = Collection::options().without_encoder().open(&args.index)?;
    let before = collection.stats().views;
    let mut writer = collection.writer_with(settings_of(&args.writer))?;
    commit_documents(&mut writer, printer, CollectionWriter::compact)?;
    Ok((before, collection.stats().views))
}

/// The same for an index of views.
fn views(args: &CompactArgs, printer: &Printer) -> anyhow::Result<(Statistics, Statistics)> {
    let before = Reader::open(&args.index)?.statistics();
    let mut writer = Writer::open_existing(&args.index, settings_of(&args.writer))?;
    commit(&mut writer, printer, Writer::compact_watched)?;
    Ok((before, Reader::open(&args.index)?.statistics()))
}

#[derive(Serialize)]
struct Summary {
    before: Statistics,
    after: Statistics,
}
