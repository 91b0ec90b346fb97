//! The work of one call: skips what is already done, and encodes and writes the rest.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use fastlane_engine::{Origin, VectorFilesError, VectorShape, VectorWriter};
use fastlane_model::Model;

use super::produce::{DigestedTexts, Encoded, Views, encode_documents, encode_queries};
use super::{counted, side};
use crate::args::EncodeArgs;
use crate::input::Texts;
use crate::interrupt;
use crate::model::Digest;
use crate::progress::{Progress, Unit};
use crate::resumable::{Partial, PartialError, WorkProgress, WorkSettings};
use crate::settings::Settings;

/// The longest time between two journal entries: the most work that a crash can lose.
const EVERY: Duration = Duration::from_secs(3);
/// Encoded texts that wait to be written.
const WAITING: usize = 16;

/// The work of one call.
pub(super) struct Work<'a> {
    pub(super) args: &'a EncodeArgs,
    pub(super) model: &'a Model,
    pub(super) shape: VectorShape,
    pub(super) partial: Partial,
    /// The texts of earlier calls.
    pub(super) before: u64,
    /// The views of this call.
    pub(super) views: u64,
    /// The files of a folder that have no text.
    pub(super) empty: u64,
}

/// Files that are open, and the texts for them.
struct Ready {
    texts: DigestedTexts,
    bar: Bar,
    writer: VectorWriter,
}

impl Work<'_> {
    /// Does all the work; returns the encoding time.
    pub(super) fn finish(&mut self, texts: Texts, settings: Settings) -> anyhow::Result<Duration> {
        let ready = match self.continued(texts, settings) {
            Err(error) if self.partial.may_restart() && error.is::<PartialError>() => {
                self.partial.begin_anew()?;
                self.continued(Texts::open(self.args)?, settings)
            }
            ready => ready,
        };
        let Ready { texts, bar, writer } = ready?;
        self.before = self.partial.done.texts;
        let (model, began) = (self.model, Instant::now());
        let produce = if self.args.query { encode_queries } else { encode_documents };
        std::thread::scope(|scope| {
            let (give, take) = sync_channel(WAITING);
            scope.spawn(move || produce(model, texts, &give));
            self.write(&take, writer, &bar)
        })?;
        self.empty = bar.input.empty();
        self.partial.finish()?;
        Ok(began.elapsed())
    }

    /// Opens the files at the saved position, and skips the texts that are done.
    fn continued(&self, mut texts: Texts, settings: Settings) -> anyhow::Result<Ready> {
        let (path, done) = (self.partial.directory().to_owned(), &self.partial.done);
        let writer = VectorWriter::open(&path, self.shape, done.written());
        let writer = writer.map_err(|error| match error {
            VectorFilesError::Size { .. } | VectorFilesError::Missing { .. } => {
                PartialError::Damaged { path: path.clone(), source: error }.into()
            }
            error => anyhow::Error::new(error),
        })?;
        let mut bar = Bar::new(&texts, settings);
        let digest = read_over(&mut texts, done, &bar)?;
        if done.texts > 0 && digest.to_string() != done.fingerprint {
            let (input, texts) = (self.args.input.clone(), counted(done.texts, side(self.args)));
            return Err(PartialError::Changed { path, input, texts }.into());
        }
        bar.start_here();
        Ok(Ready { texts: DigestedTexts { texts, digest }, bar, writer })
    }

    /// Writes the encoded texts until the channel ends or an error arrives, and keeps the journal.
    fn write(
        &mut self,
        encoded: &Receiver<anyhow::Result<Encoded>>,
        mut writer: VectorWriter,
        bar: &Bar,
    ) -> anyhow::Result<()> {
        let (mut done, mut saved) = (self.partial.done.clone(), Instant::now());
        loop {
            let written = match encoded.recv_timeout(EVERY.saturating_sub(saved.elapsed())) {
                Ok(text) => text.and_then(|text| self.push(&mut writer, &mut done, text)),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(error) = written.and_then(|()| Ok(interrupt::check()?)) {
                // report the first error
                let _ = self.save(&mut writer, &done);
                return Err(error);
            }
            bar.show(|| {
                let texts = counted(writer.written().texts, side(self.args));
                format!("{texts}, {} tokens/s", bar.speed(self.views))
            });
            if saved.elapsed() >= EVERY {
                self.save(&mut writer, &done)?;
                saved = Instant::now();
            }
        }
        self.origin().write(self.partial.directory())?;
        let written = writer.finish()?;
        self.partial.save(done.at(written))
    }

    /// The description of the views in model.json.
    fn origin(&self) -> Origin {
        let WorkSettings { side, instructions, model, fingerprint, .. } =
            self.partial.begun().clone();
        // not its place, so that it may move
        let model = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy().into_owned();
        Origin { model, fingerprint, texts: side, instructions }
    }

    fn push(
        &mut self,
        writer: &mut VectorWriter,
        done: &mut WorkProgress,
        Encoded { id, digest, views }: Encoded,
    ) -> anyhow::Result<()> {
        let number = writer.written().texts + 1;
        let pushed = match &views {
            Views::Document(views) => writer.push_document(&id, views),
            Views::Query(views) => writer.push_query(&id, views),
        };
        pushed.map_err(|error| match error {
            VectorFilesError::Write { .. } => anyhow::Error::new(error),
            about_the_text => {
                let kind = if self.args.query { "query" } else { "document" };
                let place = format!("{kind} {number} of `{}`", self.args.input.display());
                anyhow::Error::new(about_the_text).context(place)
            }
        })?;
        let (cut, count) = views.sizes();
        self.views += count as u64;
        done.count_cut(cut as u64);
        done.fingerprint = digest.to_string();
        Ok(())
    }

    /// Syncs the files, then the journal, if there is new work.
    fn save(&mut self, writer: &mut VectorWriter, done: &WorkProgress) -> anyhow::Result<()> {
        if writer.written() == self.partial.done.written() {
            return Ok(());
        }
        let written = writer.sync()?;
        self.partial.save(done.clone().at(written))
    }
}

/// Skips the texts that are done.
fn read_over(texts: &mut Texts, done: &WorkProgress, bar: &Bar) -> anyhow::Result<Digest> {
    let mut digest = Digest::new();
    for number in 0..done.texts {
        bar.show(|| format!("{number} skipped"));
        let Some(text) = texts.next() else { break };
        digest.add_text(&text?);
    }
    Ok(digest)
}

/// A bar that moves as the input is read.
struct Bar {
    bar: Progress,
    input: fastlane_corpus::Progress,
    began: Instant,
}

impl Bar {
    fn new(texts: &Texts, settings: Settings) -> Self {
        let input = texts.progress.clone();
        let bar = Progress::new("encoding", input.total(), Unit::Share, settings);
        Self { bar, input, began: Instant::now() }
    }

    fn show(&self, words: impl FnOnce() -> String) {
        self.bar.set(self.input.done());
        self.bar.say(|| format!(", {}", words()));
    }

    /// Starts the rate here: skipped texts cost nothing.
    fn start_here(&mut self) {
        self.bar.set(self.input.done());
        self.bar.start_here();
        self.began = Instant::now();
    }

    /// The rate per second.
    fn speed(&self, things: u64) -> u64 {
        (things as f64 / self.began.elapsed().as_secs_f64()) as u64
    }
}
