//! Documents become a collection, or change one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::bail;
use fastlane::{
    Changes, Collection, CollectionError, CollectionWriter, Document, Model, Settings,
    WriterSettings,
};
use fastlane_corpus::{Documents, ReadError};
use fastlane_engine::Statistics;
use serde::Serialize;

use super::{commit_documents, reduction, settings_of};
use crate::args::IndexArgs;
use crate::bundled;
use crate::commands::is_collection;
use crate::input;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::settings::threads;

pub(super) fn run(args: &IndexArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.importance.is_some() {
        bail!("`--importance` needs a weight for each view, and is for directories of views");
    }
    let documents = Documents::open(&args.input, &input::of_corpus(&args.input_as))?;
    if documents.ignored() > 0 {
        printer.note(&format!("files left out as no text: {}", documents.ignored()));
    }
    let new = !args.output.exists();
    let collection = open(args)?;
    let began = Instant::now();
    let settings = WriterSettings { reduction: reduction(args), ..settings_of(&args.writer) };
    let mut writer = collection.writer_with(settings)?;
    let reading = Reading { progress: documents.progress(), failed: Arc::default() };
    let bar = reading.bar(printer);
    let mut watch = |_| {
        bar.set(reading.progress.done());
        interrupt::check().is_ok()
    };
    let each = reading.each(documents);
    let changed = match args.update {
        true => writer.update(each, &mut watch),
        false => writer.add(each, &mut watch),
    };
    drop(bar);
    let changes = match reading.end(changed) {
        Ok(changes) => changes,
        Err(error) => {
            drop(writer);
            if new {
                take_away(&args.output);
            }
            return Err(error);
        }
    };
    commit_documents(writer, printer, CollectionWriter::commit_watched)?;
    // the last look came before: what is committed is told
    let seconds = began.elapsed().as_secs_f64();
    let index = collection.figures().views;
    tell(&changes, &index, seconds, printer);
    let summary = Summary { changes, seconds, index };
    if args.json { printer.json(&summary) } else { Ok(()) }
}

/// Opens the collection, or makes one.
fn open(args: &IndexArgs) -> anyhow::Result<Collection> {
    let output = &args.output;
    let settings = Settings { threads: threads(args.writer.threads), ..Settings::default() };
    let said = args.model.as_ref().map(PathBuf::from);
    if !is_collection(output)? {
        let said = bundled::or(said.as_deref())?;
        let store = args.store.unwrap_or_default();
        let model = Arc::new(Model::open(&said, &settings)?);
        return Ok(Collection::create_with(output, model, store)?);
    }
    let blind = Collection::open_without_model(output)?;
    let figures = blind.figures();
    if let Some(wanted) = args.store.filter(|&wanted| wanted != figures.store) {
        bail!("the index at `{}` has store {}, wanted {wanted}", output.display(), figures.store);
    }
    Ok(Collection::open_from(output, said.as_deref(), &settings)?)
}

/// Takes an index away that was made for nothing, unless others have filled it meanwhile.
///
/// Where it stays, it is an empty index, which the same command fills.
fn take_away(output: &Path) {
    let empty = Collection::open_without_model(output)
        .is_ok_and(|collection| collection.figures().views.documents == 0);
    if empty {
        let _ = fs::remove_dir_all(output);
    }
}

/// Documents on their way from a file, and what went wrong on it.
struct Reading {
    progress: fastlane_corpus::Progress,
    failed: Arc<Mutex<Option<ReadError>>>,
}

impl Reading {
    /// The documents up to the first that cannot be read.
    fn each(&self, documents: Documents) -> impl Iterator<Item = Document> + Send + use<> {
        let failed = Arc::clone(&self.failed);
        documents.map_while(move |document| match document {
            _ if interrupt::check().is_err() => None,
            Ok(document) => Some(document),
            Err(error) => {
                *failed.lock().expect("nobody panics while it is held") = Some(error);
                None
            }
        })
    }

    /// What changed, if nothing went wrong on the way.
    fn end(&self, changed: Result<Changes, CollectionError>) -> anyhow::Result<Changes> {
        interrupt::check()?;
        match self.failed.lock().expect("nobody panics while it is held").take() {
            Some(error) => Err(error.into()),
            None => Ok(changed?),
        }
    }

    fn bar(&self, printer: &Printer) -> Progress {
        let unit = match self.progress.unit() {
            fastlane_corpus::Unit::Bytes => Unit::Bytes,
            fastlane_corpus::Unit::Files => Unit::Things("files"),
        };
        Progress::new("encoding", self.progress.total(), unit, printer.settings())
    }
}

fn tell(changes: &Changes, index: &Statistics, seconds: f64, printer: &Printer) {
    let Changes { added, replaced, unchanged, deleted } = changes;
    let mut words = format!("documents added: {added}, replaced: {replaced}");
    if unchanged + deleted > 0 {
        words += &format!(", unchanged: {unchanged}, deleted: {deleted}");
    }
    printer.note(&format!(
        "{words} in {seconds:.1} s; the index holds {} with {} views",
        index.documents, index.views
    ));
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    changes: Changes,
    seconds: f64,
    index: Statistics,
}
