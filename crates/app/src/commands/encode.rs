//! `fastlane encode`: a collection, a model, and the files of views it makes of it.
//!
//! One thread reads and has the model encode; this one writes what comes, so that the model need
//! not wait for the disk, and keeps the journal of the [`Partial`] directory.

mod produce;
mod summary;

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::bail;
use fastlane_engine::{Encoder as _, VectorShape, VectorWriter};
use fastlane_model::Model;

use crate::args::EncodeArgs;
use crate::input::Texts;
use crate::model::{self, Fingerprint};
use crate::partial::{Begun, Done, Partial, PartialError, Place};
use crate::printer::Printer;
use crate::progress::{Progress, Unit};

use produce::{Encoded, Fingerprinted, Views, encode_documents, encode_queries};
use summary::{Cut, Summary};

/// The longest time between two entries in the journal: what a crash may cost.
const EVERY: Duration = Duration::from_secs(3);
/// Encoded texts that wait to be written.
const WAITING: usize = 16;
/// The text by which models are told apart.
const PROBE: &str = "Zwölf Boxkämpfer jagen Viktor: the quick brown fox, 3 lazy dogs & 42 lanes.";

pub(crate) fn run(args: &EncodeArgs, printer: &Printer) -> anyhow::Result<()> {
    let place = Place::new(&args.output, &[&args.input, &args.model.path], args.overwrite)?;
    let texts = Texts::open(args)?;
    if texts.progress.unit() == fastlane_corpus::Unit::Files && place.is_below(&args.input) {
        bail!("`{}` lies in the input, wanted a directory elsewhere", args.output.display());
    }
    if texts.ignored > 0 {
        printer.note(&format!("files left out as no text: {}", texts.ignored));
    }
    let model = model::open(&args.model)?;
    let (shape, begun) = probe(args, &model)?;
    let mut work = Work { args, model: &model, shape, partial: place.begin(begun)?, views: 0 };
    let (before, began) = (work.partial.done.texts, Instant::now());
    match work.encode(texts, printer) {
        Ok(()) => {
            let summary = work.summary(before, began.elapsed());
            work.partial.finish()?;
            summary.tell(args, printer)
        }
        Err(error) => {
            if let Some((path, texts)) = work.partial.leave() {
                let (side, path) = (side(args), path.display());
                printer.note(&format!(
                    "{texts} {side} are kept in `{path}`: the same command continues after them"
                ));
            }
            Err(error)
        }
    }
}

fn side(args: &EncodeArgs) -> &'static str {
    if args.query { "queries" } else { "documents" }
}

/// Has the model encode a sentence: that shows the shape of its views, and tells it from others.
fn probe(args: &EncodeArgs, model: &Model) -> anyhow::Result<(VectorShape, Begun)> {
    let mut fingerprint = Fingerprint::new();
    let (query, document) = model.lengths();
    fingerprint.add(&if args.query { query } else { document }.to_le_bytes());
    let shape = if args.query {
        let views = model.encode_query(PROBE)?;
        fingerprint.add_query(&views);
        VectorShape::of_query(&views)
    } else {
        let mut all = model.encode_documents(Box::new(std::iter::once(PROBE.to_owned())));
        let views = all.next().expect("a text gives views or an error")?;
        fingerprint.add_document(&views);
        VectorShape::of_document(&views)
    };
    let begun = Begun {
        side: side(args).to_owned(),
        instructions: model.instructions().to_owned(),
        model: args.model.path.clone(),
        fingerprint: fingerprint.to_string(),
    };
    Ok((shape, begun))
}

/// The work of one call.
struct Work<'a> {
    args: &'a EncodeArgs,
    model: &'a Model,
    shape: VectorShape,
    partial: Partial,
    /// The views of this call, without those of earlier ones.
    views: u64,
}

impl<'a> Work<'a> {
    fn encode(&mut self, mut texts: Texts, printer: &Printer) -> anyhow::Result<()> {
        let progress = texts.progress.clone();
        let bar = Progress::new("encoding", progress.total(), Unit::Share, printer.settings());
        let began = Instant::now();
        let fingerprint = self.read_over(&mut texts, |done| {
            bar.set(progress.done());
            bar.say(|| format!("{done} read over"));
        })?;
        bar.set(progress.done());
        bar.start_here();
        let (args, model, side) = (self.args, self.model, side(self.args));
        std::thread::scope(|scope| {
            let (give, take) = sync_channel(WAITING);
            let produce = if args.query { encode_queries } else { encode_documents };
            scope.spawn(move || produce(model, Fingerprinted { texts, fingerprint }, &give));
            self.write(take, |done, views| {
                bar.set(progress.done());
                let speed = (views as f64 / began.elapsed().as_secs_f64()) as u64;
                bar.say(|| format!("{done} {side}, {speed} tokens/s"));
            })
        })
    }

    /// Goes through the texts that are done, and makes sure that they are the same.
    fn read_over(
        &mut self,
        texts: &mut Texts,
        mut watch: impl FnMut(u64),
    ) -> anyhow::Result<Fingerprint> {
        let mut fingerprint = Fingerprint::new();
        for number in 0..self.partial.done.texts {
            watch(number);
            let Some(text) = texts.next() else { break };
            fingerprint.add_text(&text?);
        }
        let Done { texts: count, fingerprint: wanted, .. } = &self.partial.done;
        if *count == 0 || fingerprint.to_string() == *wanted {
            return Ok(fingerprint);
        }
        if !self.partial.may_begin_anew() {
            let (path, input) = (self.partial.directory().to_owned(), self.args.input.clone());
            let (side, texts) = (side(self.args), *count);
            return Err(PartialError::Changed { path, input, side, texts }.into());
        }
        self.partial.save(Done::default())?;
        *texts = Texts::open(self.args)?;
        Ok(Fingerprint::new())
    }

    /// Writes what comes until nothing does or an error comes, and keeps the journal.
    fn write(
        &mut self,
        encoded: Receiver<anyhow::Result<Encoded>>,
        watch: impl Fn(u64, u64),
    ) -> anyhow::Result<()> {
        let mut done = self.partial.done.clone();
        let mut writer = VectorWriter::open(self.partial.directory(), self.shape, done.written())?;
        let mut saved = Instant::now();
        for text in encoded {
            let Encoded { id, fingerprint, views } = match text {
                Ok(text) => text,
                Err(error) => {
                    self.save(&mut writer, done)?;
                    return Err(error);
                }
            };
            match &views {
                Views::Document(views) => writer.push_document(&id, views)?,
                Views::Query(views) => writer.push_query(&id, views)?,
            }
            let (cut, count) = views.sizes();
            self.views += count as u64;
            done.count_cut(cut as u64);
            done.fingerprint = fingerprint.to_string();
            if saved.elapsed() > EVERY {
                self.save(&mut writer, done.clone())?;
                saved = Instant::now();
            }
            watch(writer.written().texts, self.views);
        }
        let written = writer.finish()?;
        self.partial.done = done.at(written);
        Ok(())
    }

    /// Brings the files onto the disk, then the journal.
    fn save(&mut self, writer: &mut VectorWriter, done: Done) -> anyhow::Result<()> {
        let written = writer.sync()?;
        self.partial.save(done.at(written))
    }

    fn summary(&self, before: u64, time: Duration) -> Summary<'a> {
        let Done { texts, views, cut_texts, cut_bytes, cut_most, .. } = self.partial.done;
        let seconds = time.as_secs_f64();
        let (queries, documents) = self.model.lengths();
        let most_tokens = if self.args.query { queries } else { documents };
        Summary {
            output: &self.args.output,
            model: &self.args.model.path,
            instructions: self.model.instructions(),
            side: side(self.args),
            texts,
            views,
            continued_after: before,
            seconds,
            tokens_per_second: self.views as f64 / seconds,
            cut: Cut { most_tokens, texts: cut_texts, bytes: cut_bytes, longest: cut_most },
        }
    }
}
