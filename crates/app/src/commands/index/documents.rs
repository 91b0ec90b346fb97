//! Creates or changes a collection of documents.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::bail;
use fastlane::{
    Changes, Collection, CollectionWriter, Document, Documents, Model, ReadError, Settings,
    Skipped, Statistics, Stats, WriterSettings,
};
use serde::Serialize;

use super::{commit_documents, reduction, settings_of};
use crate::args::IndexArgs;
use crate::bundled;
use crate::commands::is_collection;
use crate::commands::search::show::counted;
use crate::input;
use crate::interrupt;
use crate::left_out::{Entry, KindEntry, LeftOutReport};
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::settings::threads;

pub(super) fn run(args: &IndexArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.importance.is_some() {
        bail!("`--importance` needs a weight for each view, and is for directories of views");
    }
    let documents = Documents::open_all(&args.inputs, &input::of_corpus(&args.input_as))?;
    let list = documents.left_out();
    let absent = !args.output.exists();
    let (collection, new) = open(args)?;
    let began = Instant::now();
    let settings = WriterSettings { reduction: reduction(args), ..settings_of(&args.writer) };
    let mut writer = collection.writer_with(settings)?;
    let reading = DocumentStream::of(&documents);
    let changed = change(&mut writer, documents, &reading, args, printer);
    let done = match changed.and_then(|done| reading.end().map(|()| done)) {
        Ok(done) => done,
        Err(error) => {
            drop(writer);
            if new {
                take_away(&args.output, absent);
            }
            return Err(reading.end().err().unwrap_or(error));
        }
    };
    commit_documents(&mut writer, printer, CollectionWriter::commit)?;
    // the last check for Ctrl-C was earlier: a commit is always reported
    let seconds = began.elapsed().as_secs_f64();
    let stats = collection.stats();
    report(&done.changes, &stats, seconds, printer);
    reading.warn(printer);
    let AppliedChanges { changes, skipped, kept } = done;
    let report = LeftOutReport::new(skipped, &list);
    report.warn(changes.added + changes.replaced + changes.unchanged, kept, printer);
    let (left_out, left_out_kinds) = (report.entries(), report.kinds());
    // to the index of views, each passage is a document
    let index = Statistics { documents: stats.documents, ..stats.views };
    let passages = stats.passages;
    let summary = Summary { changes, left_out, left_out_kinds, kept, seconds, passages, index };
    if args.json { printer.json(&summary) } else { Ok(()) }
}

/// The changes of a run before its commit.
struct AppliedChanges {
    changes: Changes,
    /// Files and records that could not be read, as far as they were taken from the list.
    skipped: Vec<Skipped>,
    /// Documents of skipped files, which are kept.
    kept: u64,
}

/// Adds the documents, or synchronises the collection with them, under a progress bar.
fn change(
    writer: &mut CollectionWriter,
    documents: Documents,
    reading: &DocumentStream,
    args: &IndexArgs,
    printer: &Printer,
) -> anyhow::Result<AppliedChanges> {
    let list = documents.left_out();
    let bar = reading.bar(printer);
    let progress = reading.progress.clone();
    writer.on_progress(move |_| {
        bar.set(progress.done());
        interrupt::check().is_ok()
    });
    let each = reading.each(documents);
    let (mut skipped, mut kept) = (None, 0);
    let changes = if args.update {
        // called once all documents are read, when the list is complete
        let mut keep = |id: &str| {
            let bad: &Vec<Skipped> = skipped.get_or_insert_with(|| list.take());
            let stays = bad.iter().any(|bad| bad.covers(id));
            kept += u64::from(stays);
            stays
        };
        writer.update_keeping(each, &mut keep)?
    } else {
        writer.add(each)?
    };
    Ok(AppliedChanges { changes, skipped: skipped.unwrap_or_default(), kept })
}

/// Opens the collection, or creates one; returns whether it is new.
fn open(args: &IndexArgs) -> anyhow::Result<(Collection, bool)> {
    let output = &args.output;
    let settings = Settings { threads: threads(args.writer.threads), ..Settings::default() };
    let said = args.model.as_ref().map(PathBuf::from);
    if !is_collection(output)? {
        let said = bundled::or(said.as_deref())?;
        let store = args.store.unwrap_or_default();
        let model = Model::open(&said, &settings)?;
        return Ok((Collection::options().encoder(model).store(store).create(output)?, true));
    }
    let mut options = Collection::options().model_settings(settings);
    if let Some(model) = said {
        options = options.model(model);
    }
    if let Some(store) = args.store {
        options = options.store(store);
    }
    Ok((options.open(output)?, false))
}

/// Removes an index that was created but never filled, unless another process has filled it since.
///
/// If it remains, it is an empty index that the same command can fill.
fn take_away(output: &Path, with_directory: bool) {
    if Collection::remove_if_empty(output).unwrap_or(false) && with_directory {
        // an index that another process creates here keeps the directory
        let _ = fs::remove_dir(output);
    }
}

/// The stream of documents, with the warnings and errors seen so far.
struct DocumentStream {
    progress: fastlane_corpus::Progress,
    problems: Arc<Mutex<StreamProblems>>,
}

#[derive(Default)]
struct StreamProblems {
    /// The error that ended the stream.
    failed: Option<ReadError>,
    /// Ids that a run cannot hold, and the first of them.
    unfit: u64,
    first_unfit: Option<String>,
}

impl DocumentStream {
    fn of(documents: &Documents) -> Self {
        Self { progress: documents.progress(), problems: Arc::default() }
    }

    /// The documents up to the first that cannot be read.
    fn each(&self, documents: Documents) -> impl Iterator<Item = Document> + Send + use<> {
        let problems = Arc::clone(&self.problems);
        documents.map_while(move |document| {
            interrupt::check().ok()?;
            let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
            match document {
                Ok(document) => {
                    problems.look_at(&document.id);
                    Some(document)
                }
                Err(error) => {
                    problems.failed = Some(error);
                    None
                }
            }
        })
    }

    /// Fails if the documents ended early.
    fn end(&self) -> anyhow::Result<()> {
        interrupt::check()?;
        self.problems().failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Warns of ids that a run cannot hold.
    fn warn(&self, printer: &Printer) {
        let problems = self.problems();
        if let Some(first) = &problems.first_unfit {
            printer.note(&format!(
                "warning: ids that a TREC run cannot hold, because of a space: {}, the first is \
                 `{first}`",
                problems.unfit
            ));
        }
    }

    fn problems(&self) -> MutexGuard<'_, StreamProblems> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self, printer: &Printer) -> Progress {
        Progress::new("encoding", self.progress.total(), Unit::Bytes, printer.settings())
    }
}

impl StreamProblems {
    fn look_at(&mut self, id: &str) {
        if fastlane_eval::check_id("document", id).is_err() {
            self.unfit += 1;
            self.first_unfit.get_or_insert_with(|| id.to_owned());
        }
    }
}

fn report(changes: &Changes, stats: &Stats, seconds: f64, printer: &Printer) {
    let Changes { added, replaced, unchanged, deleted } = changes;
    let mut words = format!("documents added: {added}, replaced: {replaced}");
    if unchanged + deleted > 0 {
        words += &format!(", unchanged: {unchanged}, deleted: {deleted}");
    }
    printer.note(&format!(
        "{words} in {seconds:.1} s; the index holds {} with {} views",
        counted(stats),
        stats.views.views
    ));
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    changes: Changes,
    left_out: Vec<Entry>,
    left_out_kinds: Vec<KindEntry>,
    kept: u64,
    seconds: f64,
    passages: u64,
    index: Statistics,
}
