//! `fastlane compact`: an index without what was deleted.

use fastlane::{Collection, CollectionWriter};
use fastlane_engine::{Reader, Statistics, Writer};
use serde::Serialize;

use super::index::{commit, commit_documents, settings_of};
use super::{is_collection, views_of};
use crate::args::CompactArgs;
use crate::printer::Printer;
use crate::table::bytes;

pub(crate) fn run(args: &CompactArgs, printer: &Printer) -> anyhow::Result<()> {
    let views = views_of(&args.index)?;
    let before = Reader::open(&views)?.statistics();
    if is_collection(&args.index)? {
        let collection = Collection::open_without_model(&args.index)?;
        let writer = collection.writer_with(settings_of(&args.writer))?;
        commit_documents(writer, printer, CollectionWriter::compact_watched)?;
    } else {
        let mut writer = Writer::open_existing(&args.index, settings_of(&args.writer))?;
        commit(&mut writer, printer, Writer::compact_watched)?;
    }
    let after = Reader::open(&views)?.statistics();
    printer.note(&format!(
        "segments: {} instead of {}, {} instead of {}, deleted documents gone: {}",
        after.segments,
        before.segments,
        bytes(after.bytes),
        bytes(before.bytes),
        before.deleted
    ));
    if args.json { printer.json(&Summary { before, after }) } else { Ok(()) }
}

#[derive(Serialize)]
struct Summary {
    before: Statistics,
    after: Statistics,
}
