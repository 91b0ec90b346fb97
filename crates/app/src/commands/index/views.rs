//! Builds an index from a directory of views, or adds views to one.

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use fastlane_engine::{
    IndexSettings, NewDocument, Origin, Reader, Reduction, Statistics, StoredDocument,
    StoredDocuments, Writer, WriterSettings,
};
use serde::Serialize;

use super::{commit, reduction};
use crate::args::{IndexArgs, WriterArgs};
use crate::commands::is_collection;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::settings::threads;

pub(super) fn run(args: &IndexArgs, input: &Path, printer: &Printer) -> anyhow::Result<()> {
    check_settings(args, input)?;
    let documents = StoredDocuments::open(input)?;
    if args.importance.is_some() && !documents.has_weights() {
        let path = input.join("weights.npy");
        bail!("`{}` is missing, wanted a weight for each view for --importance", path.display());
    }
    let mut writer = open(args, input, &documents)?;
    let (began, before) = (Instant::now(), writer.documents());
    let bar = Progress::new(
        "adding",
        Some(documents.len()),
        Unit::Things("documents"),
        printer.settings(),
    );
    let mut done = 0;
    for document in documents {
        interrupt::check()?;
        let StoredDocument { id, views, lane_views, weights, .. } = document?;
        let (views, tokens) = match &lane_views {
            Some(lanes) => (lanes, Some(&views)),
            None => (&views, None),
        };
        let weights = weights.as_deref();
        writer.add_document(&NewDocument { id: &id, views, tokens, weights })?;
        done += 1;
        bar.set(done);
    }
    drop(bar);
    let added = writer.documents() - before;
    let replaced = done - added;
    let views = commit(&mut writer, printer, Writer::commit_watched)?;
    drop(writer);
    let statistics = Reader::open(&args.output)?.statistics();
    let seconds = began.elapsed().as_secs_f64();
    let lists = match statistics.lists {
        0 => "no lists, every search scans all views".to_owned(),
        lists => format!("{lists} lists, {:.0} views/s", views as f64 / seconds),
    };
    let all = statistics.views;
    printer.note(&format!(
        "documents added: {added}, replaced: {replaced} in {seconds:.1} s; views: {all}, {lists}"
    ));
    let reduction = reduction(args);
    let summary = Summary { added, replaced, seconds, reduction, index: statistics };
    if args.json { printer.json(&summary) } else { Ok(()) }
}

#[derive(Serialize)]
struct Summary {
    added: u64,
    replaced: u64,
    seconds: f64,
    reduction: Reduction,
    index: Statistics,
}

fn open(args: &IndexArgs, input: &Path, documents: &StoredDocuments) -> anyhow::Result<Writer> {
    let (shape, origin) = (documents.shape(), documents.origin());
    if let Some(Origin { texts, .. }) = origin.filter(|origin| origin.texts != "documents") {
        bail!("`{}` holds views of {texts}, wanted those of documents", input.display());
    }
    let said = args.model.clone().or_else(|| origin.map(|origin| origin.fingerprint.clone()));
    // without the argument, the index keeps its setting
    let there = Reader::open(&args.output).map(|reader| reader.settings().clone()).ok();
    let (model, store) = there.map(|there| (there.model, there.store)).unwrap_or_default();
    let model = said.unwrap_or(model);
    let settings = IndexSettings {
        dim: shape.lane_dim.unwrap_or(shape.dim),
        token_dim: shape.lane_dim.map(|_| shape.dim),
        lanes_only: false,
        model,
        store: args.store.unwrap_or(store),
    };
    let writer = WriterSettings { reduction: reduction(args), ..settings_of(&args.writer) };
    Ok(Writer::open(&args.output, &settings, writer)?)
}

/// Rejects options that apply only to documents.
fn check_settings(args: &IndexArgs, input: &Path) -> anyhow::Result<()> {
    let path = input.display();
    if args.update {
        bail!("`{path}` holds views: `--update` compares texts and needs documents");
    }
    if is_collection(&args.output)? {
        let output = args.output.display();
        bail!("`{output}` is a collection of documents: add documents to it, not views");
    }
    Ok(())
}

/// The settings of a writer, from the arguments.
pub(in crate::commands) fn settings_of(args: &WriterArgs) -> WriterSettings {
    let threads = threads(args.threads);
    WriterSettings { memory: args.memory as usize, threads, ..WriterSettings::default() }
}
