//! `fastlane compact`: an index without what was deleted.

use fastlane_engine::{Reader, Statistics, Writer};
use serde::Serialize;

use super::index::{commit, settings_of};
use crate::args::CompactArgs;
use crate::printer::Printer;
use crate::table::bytes;

pub(crate) fn run(args: &CompactArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut writer = Writer::open_existing(&args.index, settings_of(&args.writer))?;
    let before = Reader::open(&args.index)?.statistics();
    commit(&mut writer, printer, Writer::compact_watched)?;
    let after = Reader::open(&args.index)?.statistics();
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
