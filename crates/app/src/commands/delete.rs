//! `fastlane delete`: documents leave an index.

use std::io::BufRead as _;

use anyhow::Context as _;
use fastlane_engine::Writer;
use serde::Serialize;

use super::index::{commit, settings_of};
use crate::args::DeleteArgs;
use crate::interrupt;
use crate::printer::Printer;

pub(crate) fn run(args: &DeleteArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut writer = Writer::open_existing(&args.index, settings_of(&args.writer))?;
    let (mut deleted, mut absent) = (0_u64, Vec::new());
    let mut delete = |id: &str| -> anyhow::Result<()> {
        interrupt::check()?;
        match writer.delete(id)? {
            true => deleted += 1,
            false => absent.push(id.to_owned()),
        }
        Ok(())
    };
    for id in &args.ids {
        if id != "-" {
            delete(id)?;
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            delete(&line.context("cannot read standard input")?)?;
        }
    }
    commit(&mut writer, printer, Writer::commit_watched)?;
    let documents = writer.documents();
    if let Some(first) = absent.first() {
        let count = absent.len();
        printer.note(&format!("warning: {count} ids are not in the index, `{first}` the first"));
    }
    printer.note(&format!("{deleted} documents deleted, {documents} left"));
    let summary = Summary { deleted, absent, documents };
    if args.json { printer.json(&summary) } else { Ok(()) }
}

#[derive(Serialize)]
struct Summary {
    deleted: u64,
    absent: Vec<String>,
    documents: u64,
}
