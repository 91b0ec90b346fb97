//! `fastlane delete`: deletes documents from an index.

use std::io::BufRead as _;

use anyhow::Context as _;
use fastlane::{Collection, CollectionWriter};
use fastlane_engine::Writer;
use serde::Serialize;

use super::index::{commit, commit_documents, settings_of};
use super::is_collection;
use crate::args::DeleteArgs;
use crate::interrupt;
use crate::printer::Printer;

pub(crate) fn run(args: &DeleteArgs, printer: &Printer) -> anyhow::Result<()> {
    // read before signals are handled, so that Ctrl-C works while a terminal waits for input
    let ids = ids(args)?;
    interrupt::watch()?;
    let (deleted, absent, documents) = match is_collection(&args.index)? {
        true => from_collection(args, ids, printer)?,
        false => from_views(args, ids, printer)?,
    };
    if let Some(first) = absent.first() {
        let count = absent.len();
        printer.note(&format!("warning: ids not in the index: {count}, the first is `{first}`"));
    }
    printer.note(&format!("documents deleted: {deleted}, left: {documents}"));
    let summary = Summary { deleted, absent, documents };
    if args.json { printer.json(&summary) } else { Ok(()) }
}

/// The number of deleted documents, the ids that were not found, and the number that remain.
type Deleted = (u64, Vec<String>, u64);

fn from_views(args: &DeleteArgs, ids: Vec<String>, printer: &Printer) -> anyhow::Result<Deleted> {
    let mut writer = Writer::open_existing(&args.index, settings_of(&args.writer))?;
    let (deleted, absent) = each(ids, |id| Ok(writer.delete(id)?))?;
    commit(&mut writer, printer, Writer::commit_watched)?;
    Ok((deleted, absent, writer.documents()))
}

fn from_collection(
    args: &DeleteArgs,
    ids: Vec<String>,
    printer: &Printer,
) -> anyhow::Result<Deleted> {
    let collection = Collection::options().without_encoder().open(&args.index)?;
    let mut writer = collection.writer_with(settings_of(&args.writer))?;
    let (deleted, absent) = each(ids, |id| Ok(writer.delete(id)?))?;
    commit_documents(&mut writer, printer, CollectionWriter::commit)?;
    Ok((deleted, absent, collection.stats().documents))
}

fn each(
    ids: Vec<String>,
    mut delete: impl FnMut(&str) -> anyhow::Result<bool>,
) -> anyhow::Result<(u64, Vec<String>)> {
    let (mut deleted, mut absent) = (0, Vec::new());
    for id in ids {
        interrupt::check()?;
        match delete(&id)? {
            true => deleted += 1,
            false => absent.push(id),
        }
    }
    Ok((deleted, absent))
}

/// The ids from the arguments; `-` adds those from standard input.
fn ids(args: &DeleteArgs) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for id in &args.ids {
        match id.as_str() {
            "-" => {
                let lines = std::io::stdin().lock().lines();
                let lines = lines.collect::<Result<Vec<_>, _>>();
                ids.extend(lines.context("cannot read standard input")?);
            }
            _ => ids.push(id.clone()),
        }
    }
    Ok(ids)
}

#[derive(Serialize)]
struct Summary {
    deleted: u64,
    absent: Vec<String>,
    documents: u64,
}
