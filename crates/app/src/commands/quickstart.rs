//! `fastlane quickstart`: indexes this project and runs example queries.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use fastlane::{
    Collection, Document, Documents, Format, LeftOut, Model, Progress as Step, ReadSettings,
    Search, Settings,
};

use super::is_collection;
use super::search::show;
use crate::args::QuickstartArgs;
use crate::bundled;
use crate::interrupt;
use crate::left_out::LeftOutReport;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::storage;

/// The tag of an index that this command made.
const TAG: &str = "quickstart";
/// The files of the project to index: pages, and folders with a file extension.
const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"];
const FOLDERS: [(&str, &str); 2] = [("docs", "md"), ("crates", "rs")];
/// The example queries.
const QUESTIONS: [&str; 3] = [
    "what happens to an index when the machine is killed during a commit?",
    "how do I train a model on my own pairs?",
    "which token of a query searches?",
];

pub(crate) fn run(args: &QuickstartArgs, printer: &Printer) -> anyhow::Result<()> {
    let began = Instant::now();
    let model = bundled::or(args.model.as_deref())?;
    let (documents, left_out) = match &args.folder {
        Some(folder) => all_of(folder)?,
        None => (project()?, LeftOut::default()),
    };
    let model = Model::open(&model, &Settings::default())?;
    let questions = questions(args, &documents);
    let collection = match is_collection(&args.output)? {
        true => ours(Collection::options().encoder(model).open(&args.output)?, &args.output)?,
        false => {
            fastlane_durable::make_directory(fastlane_durable::parent(&args.output))
                .with_context(|| storage::cannot_write(&args.output))?;
            Collection::options().encoder(model).create(&args.output)?
        }
    };
    index(&collection, documents, &left_out, printer)?;
    let (stats, seconds) = (collection.stats(), began.elapsed().as_secs_f64());
    let views = stats.views.views;
    printer.note(&format!("{}, {views} views, in {seconds:.1} s", show::counted(&stats)));
    for question in &questions {
        printer.note(&format!("\n> {question}"));
        let found = collection.search(&Search::text(question).k(3))?;
        show::found(&found, false, &collection, printer)?;
    }
    let index = args.output.display();
    printer.note(&format!(
        "\ntry next:\n  fastlane search {index} \"your question\"\n  fastlane search {index} \
         \"your question\" --explain\n  fastlane serve {index}"
    ));
    Ok(())
}

/// The texts of a folder, and the files that cannot be read.
fn all_of(folder: &Path) -> anyhow::Result<(Vec<Document>, LeftOut)> {
    let mut documents = Documents::open(folder, &ReadSettings::default())?;
    let all = documents.by_ref().collect::<Result<_, _>>()?;
    Ok((all, documents.left_out()))
}

/// The documentation and the source, from within a clone.
fn project() -> anyhow::Result<Vec<Document>> {
    if !PAGES
        .iter()
        .chain(FOLDERS.iter().map(|(folder, _)| folder))
        .all(|it| Path::new(it).exists())
    {
        bail!("this is not a clone of FastLane: run `fastlane quickstart FOLDER`");
    }
    let mut files: Vec<PathBuf> = PAGES.iter().map(PathBuf::from).collect();
    for (folder, ending) in FOLDERS {
        gather(Path::new(folder), ending, &mut files)?;
    }
    let settings = ReadSettings { format: Some(Format::Texts), ..ReadSettings::default() };
    let mut documents = Vec::new();
    for file in files {
        interrupt::check()?;
        for document in Documents::open(&file, &settings)? {
            // the reader knows only the file name
            let id = file.display().to_string();
            documents.push(Document { id, ..document? });
        }
    }
    Ok(documents)
}

/// All files below a folder that end so, in order.
fn gather(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let read = || format!("cannot read `{}`", folder.display());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(read)?;
    paths.sort();
    for path in paths {
        match path.is_dir() {
            // tests are poor answers, and this file contains the queries
            _ if path.ends_with("tests") || path.ends_with(file!()) => {}
            true => gather(&path, ending, into)?,
            false if path.extension().is_some_and(|found| found == ending) => into.push(path),
            false => {}
        }
    }
    Ok(())
}

/// Brings the index up to date, under a bar.
fn index(
    collection: &Collection,
    documents: Vec<Document>,
    left_out: &LeftOut,
    printer: &Printer,
) -> anyhow::Result<()> {
    let bar = Progress::new(
        "encoding",
        Some(documents.len() as u64),
        Unit::Things("documents"),
        printer.settings(),
    );
    let mut writer = collection.writer()?;
    let (count, skipped) = (documents.len() as u64, left_out.take());
    let mut kept = 0;
    let mut keep = |id: &str| {
        let stays = skipped.iter().any(|bad| bad.covers(id));
        kept += u64::from(stays);
        stays
    };
    writer.on_progress(move |step| {
        if let Step::Documents(done) = step {
            bar.set(done);
        }
        interrupt::check().is_ok()
    });
    let changed = writer.update_keeping(documents, &mut keep);
    // the function owns the bar, which is dropped at its end
    writer.on_progress(|_| true);
    interrupt::check()?;
    changed?;
    LeftOutReport::new(skipped, left_out).warn(count, kept, printer);
    writer.tag(TAG, "");
    writer.commit()?;
    Ok(())
}

/// Accepts only an index that this command made: an update deletes all other documents.
fn ours(collection: Collection, place: &Path) -> anyhow::Result<Collection> {
    match collection.tag(TAG).is_some() || collection.stats().views.documents == 0 {
        true => Ok(collection),
        false => bail!(
            "the index at `{}` was not made by quickstart: choose another with `--output INDEX`",
            place.display()
        ),
    }
}

/// The queries; for a folder, some of its titles.
fn questions(args: &QuickstartArgs, documents: &[Document]) -> Vec<String> {
    if args.folder.is_none() {
        return QUESTIONS.map(str::to_owned).to_vec();
    }
    let step = documents.len().div_ceil(QUESTIONS.len()).max(1);
    let asked = documents.iter().step_by(step).map(|document| match document.title.is_empty() {
        true => document.text.split_whitespace().take(8).collect::<Vec<_>>().join(" "),
        false => document.title.clone(),
    });
    asked.filter(|question| !question.trim().is_empty()).collect()
}
