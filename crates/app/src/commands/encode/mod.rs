//! `fastlane encode`: encodes a collection into files of views.
//!
//! One thread reads and encodes; this one writes the results, so that the model does not wait for
//! the disk, and keeps the journal of the [`Partial`](crate::resumable::Partial) directory.

mod produce;
mod summary;
mod work;

use std::time::Duration;

use anyhow::{Context as _, bail};
use fastlane_engine::{Encoder as _, VectorShape};
use fastlane_model::Model;

use crate::args::EncodeArgs;
use crate::bundled;
use crate::input::Texts;
use crate::interrupt::Interrupted;
use crate::left_out::LeftOutReport;
use crate::model::{self, Digest};
use crate::printer::Printer;
use crate::resumable::{OutputPlace, PartialError, WorkProgress, WorkSettings};

use summary::{Cut, Summary};
use work::Work;

/// A sample text: its views identify how a model computes.
const PROBE: &str = "Zwölf Boxkämpfer jagen Viktor: the quick brown fox, 3 lazy dogs & 42 lanes.";

pub(crate) fn run(args: &EncodeArgs, printer: &Printer) -> anyhow::Result<()> {
    let model = bundled::or(args.model.path.as_deref())?;
    let place = OutputPlace::new(&args.output, &[&args.input, &model], args.overwrite)?;
    let texts = Texts::open(args)?;
    if args.input.is_dir() && place.is_below(&args.input) {
        bail!("`{}` is inside the input, wanted a directory elsewhere", args.output.display());
    }
    let left_out = texts.left_out.clone();
    let model = model::open(&model, &args.model)?;
    let (shape, begun) = probe(args, &model)?;
    let partial = place.begin(begun, &|kept| Ok(model.compare(kept)?))?;
    let mut work = Work { args, model: &model, shape, partial, before: 0, views: 0, empty: 0 };
    match work.finish(texts, printer.settings()) {
        Ok(time) => {
            LeftOutReport::new(Vec::new(), &left_out).warn(work.partial.done.texts, 0, printer);
            summary(&work, time).print(args, printer)
        }
        Err(error) => {
            if let Some((path, texts)) = work.partial.leave() {
                let (texts, path) = (counted(texts, side(args)), path.display());
                printer.note(&format!("kept in `{path}`: {texts}{}", what_helps(&error)));
            }
            Err(error)
        }
    }
}

/// How to continue after an error that has no hint of its own.
fn what_helps(error: &anyhow::Error) -> &'static str {
    if error.is::<Interrupted>() {
        "; run the same command to continue"
    } else if error.is::<PartialError>() {
        ""
    } else {
        "; fix the error, then run the same command to continue"
    }
}

fn side(args: &EncodeArgs) -> &'static str {
    if args.query { "queries" } else { "documents" }
}

/// The number of texts with its noun.
fn counted(texts: u64, side: &str) -> String {
    match (texts, side) {
        (1, "queries") => "1 query".to_owned(),
        (1, "documents") => "1 document".to_owned(),
        _ => format!("{texts} {side}"),
    }
}

/// The identity of the work and the shape of its views, measured on one text.
fn probe(args: &EncodeArgs, model: &Model) -> anyhow::Result<(VectorShape, WorkSettings)> {
    let mut sample = Digest::new();
    let shape = if args.query {
        let views = model.encode_query(PROBE)?;
        sample.add_query(&views);
        VectorShape::of_query(&views)
    } else {
        let mut all = model.encode_documents(Box::new(std::iter::once(PROBE.to_owned())));
        let views = all.next().context("the model gave no views")??;
        sample.add_document(&views);
        VectorShape::of_document(&views)
    };
    let begun = WorkSettings {
        side: side(args).to_owned(),
        instructions: model.instructions().to_owned(),
        model: model.directory().to_owned(),
        fingerprint: model.fingerprint().to_string(),
        sample: sample.to_string(),
    };
    Ok((shape, begun))
}

fn summary<'a>(work: &Work<'a>, time: Duration) -> Summary<'a> {
    let Work { args, model, .. } = *work;
    let WorkProgress { texts, views, cut_texts, cut_bytes, cut_most, .. } = work.partial.done;
    let seconds = time.as_secs_f64();
    let (queries, documents) = model.lengths();
    let most_tokens = if args.query { queries } else { documents };
    Summary {
        output: &args.output,
        model: model.directory(),
        instructions: model.instructions(),
        side: side(args),
        texts,
        views,
        continued_after: work.before,
        empty_files: work.empty,
        seconds,
        tokens_per_second: work.views as f64 / seconds,
        cut: Cut { most_tokens, texts: cut_texts, bytes: cut_bytes, longest: cut_most },
    }
}
