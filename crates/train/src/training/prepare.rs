//! Prepares a run for any device: data, tokens, states, weights.

use std::io;
use std::path::Path;

use fastlane_model::checkpoint::{Checkpoint, Expansion, InputSettings, Tensors};
use fastlane_model::{Model, Settings};

use crate::architecture::{Frame, Parameter, Starting, check_encoders, encoders, start};
use crate::data::{Batch, DataError, Pairs, States, Teacher, TeacherViews, TokenTable, mine, read};
use crate::error::TrainError;
use crate::evaluation::eval_set::JudgedSet;
use crate::events::observer::{Event, Observer, Phase};
use crate::run::{JudgedSettings, Mode, Run, Start};
use crate::training::provenance::{Parts, Provenance};
use crate::training::step::Teachers;

/// The number of texts to whose states new projections are fitted.
const SAMPLE: usize = 400;

/// The prepared data of a run.
pub(crate) struct Prepared {
    pub(crate) run: Run,
    pub(crate) checkpoint: Checkpoint,
    /// The content of `tokenizer.json`.
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) frame: Frame,
    pub(crate) pairs: Pairs,
    /// Queries, documents.
    pub(crate) tokens: [TokenTable; 2],
    /// States of queries and documents, if the encoder is frozen.
    pub(crate) states: Option<[States; 2]>,
    pub(crate) teacher: Option<Teacher>,
    /// Views of queries and documents by another system.
    pub(crate) teacher_views: [Option<TeacherViews>; 2],
    pub(crate) dev: Vec<JudgedSet>,
    pub(crate) test: Vec<JudgedSet>,
    pub(crate) parameters: Vec<Parameter>,
    /// The hashes of the training data.
    pub(crate) origins: Provenance,
}

/// Reads, tokenises and encodes the data; `cache` stores the states of frozen encoders.
pub(crate) fn prepare(
    run: &Run,
    cache: &Path,
    watch: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let checkpoint = Checkpoint::open(&run.model)?;
    check_encoders(&checkpoint)?;
    let sides = sides(run, &checkpoint)?;
    let from = from(run, &checkpoint)?;
    check_maps(run, &checkpoint)?;
    check_windows(run, &checkpoint)?;
    watch.on_event(&Event::Phase(Phase::Reading, 0));
    let mut pairs = read(run)?;
    check_sizes(run, &pairs)?;
    mine(&mut pairs, &run.negatives, watch)?;
    let tokenise = |texts: &[String], side| TokenTable::new(texts, &checkpoint.tokeniser, side);
    let tokens = [
        tokenise(pairs.queries.all(), &sides[0]).map_err(DataError::from)?,
        tokenise(pairs.documents.all(), &sides[1]).map_err(DataError::from)?,
    ];
    let judged = |all: &[JudgedSettings]| {
        let read = |settings| JudgedSet::read(settings, &checkpoint.tokeniser, &sides);
        all.iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    let (mut dev, mut test) = (judged(&run.dev)?, judged(&run.test)?);
    test.iter().try_for_each(JudgedSet::can_be_written)?;
    let mut model = Base { run, from, model: None };
    let states = match run.mode {
        Mode::Full => None,
        Mode::Frozen => {
            let mut keep = |tokens: &TokenTable, phase| {
                watch.on_event(&Event::Phase(phase, tokens.len() as u64));
                let mut done = |done: usize| go_on(watch, done);
                let states = States::open(cache, model.get()?, tokens, &mut done);
                states.map_err(TrainError::from)
            };
            for set in dev.iter_mut().chain(&mut test) {
                let [queries, documents] = &set.tokens;
                set.states = Some([
                    keep(queries, Phase::EncodingJudged)?,
                    keep(documents, Phase::EncodingJudged)?,
                ]);
            }
            Some([
                keep(&tokens[0], Phase::EncodingQueries)?,
                keep(&tokens[1], Phase::EncodingDocuments)?,
            ])
        }
    };
    let sample = match new_maps(run, &checkpoint) {
        true => sample(&model.last()?, &tokens),
        false => Vec::new(),
    };
    let starting = Starting { run, checkpoint: &checkpoint, from, states: &sample };
    let parameters = start(&starting)?;
    if parameters.is_empty() {
        return Err(TrainError::Nothing);
    }
    let path = checkpoint.tokeniser.path().to_owned();
    let tokenizer = std::fs::read(&path).map_err(|source| TrainError::Read { path, source })?;
    let frame = frame(run, &checkpoint, from);
    let teacher = run.loss.teacher.as_ref().map(|it| Teacher::read(it, &pairs)).transpose()?;
    let teacher_views = teacher_views(run, &pairs)?;
    let (model, teacher_of, views) = (checkpoint.fingerprint()?, teacher.as_ref(), &teacher_views);
    let parts =
        Parts { model, pairs: &pairs, tokens: &tokens, teacher: teacher_of, views, dev: &dev };
    let origins = parts.origins();
    Ok(Prepared {
        run: run.clone(),
        checkpoint,
        tokenizer,
        frame,
        pairs,
        tokens,
        states,
        teacher,
        teacher_views,
        dev,
        test,
        parameters,
        origins,
    })
}

/// The settings of the network.
fn frame(run: &Run, checkpoint: &Checkpoint, from: usize) -> Frame {
    let (settings, skip) = (run.architecture.clone(), skip(run, checkpoint));
    Frame { settings, encoders: encoders(checkpoint), from, skip }
}

/// Reads the views of another system, as many and as long as those that the run computes.
fn teacher_views(run: &Run, pairs: &Pairs) -> Result<[Option<TeacherViews>; 2], DataError> {
    let (it, settings) = (&run.teacher_views, &run.architecture);
    let dim = if settings.lane_dim > 0 { settings.lane_dim } else { settings.dim };
    let lanes = settings.document_views().unwrap_or(1);
    let read = |path: &Option<std::path::PathBuf>, what, ids, count| {
        let path = path.as_deref();
        path.map(|path| TeacherViews::read(path, what, ids, (count, dim))).transpose()
    };
    Ok([
        read(&it.queries, "queries", &pairs.query_ids, 1)?,
        read(&it.documents, "documents", &pairs.document_ids, lanes)?,
    ])
}

fn go_on(watch: &mut dyn Observer, done: usize) -> io::Result<()> {
    watch.on_event(&Event::Progress(done as u64));
    match watch.stops() {
        true => Err(io::Error::new(io::ErrorKind::Interrupted, "stopped")),
        false => Ok(()),
    }
}

/// The encoder of the initial checkpoint, opened on demand.
struct Base<'a> {
    run: &'a Run,
    from: usize,
    model: Option<Model>,
}

impl Base<'_> {
    /// Its frozen layers.
    fn get(&mut self) -> Result<&Model, TrainError> {
        if self.model.is_none() {
            let layers = (self.from > 0).then_some(self.from);
            let settings = Settings { layers, ..Settings::default() };
            self.model = Some(Model::open(&self.run.model, &settings)?);
        }
        Ok(self.model.as_ref().expect("it was opened just now"))
    }

    /// All its layers.
    fn last(&self) -> Result<Model, TrainError> {
        Ok(Model::open(&self.run.model, &Settings::default())?)
    }
}

/// The text settings: those of the checkpoint, with the lengths of the run.
fn sides(run: &Run, checkpoint: &Checkpoint) -> Result<[InputSettings; 2], TrainError> {
    let unfit = |key, found: String, reason: String| {
        Err(TrainError::Unfit { key, found, path: run.model.clone(), reason })
    };
    let settings = &run.architecture;
    let positions = checkpoint.query.architecture.positions;
    let lengths = [
        ("architecture.query_tokens", settings.query_tokens),
        ("architecture.document_tokens", settings.document_tokens),
    ];
    for (key, length) in lengths {
        if length > positions {
            return unfit(key, length.to_string(), format!("has {positions} positions"));
        }
    }
    let cut = |side: &InputSettings, length| {
        let expansion = side.expansion.map(|it| Expansion { length, ..it });
        InputSettings { length, expansion, ..side.clone() }
    };
    Ok([
        cut(&checkpoint.query_side, settings.query_tokens),
        cut(&checkpoint.document_side, settings.document_tokens),
    ])
}

/// The first trained layer.
fn from(run: &Run, checkpoint: &Checkpoint) -> Result<usize, TrainError> {
    let settings = &run.architecture;
    let unfit = |key, found: String, reason: &str| {
        let (path, reason) = (run.model.clone(), reason.to_owned());
        Err(TrainError::Unfit { key, found, path, reason })
    };
    let layers = checkpoint.query.architecture.layers;
    let split = checkpoint.document.is_some();
    if split && !settings.split() {
        return unfit("architecture.towers", "tied".to_owned(), "has an encoder for each side");
    }
    let dense = &checkpoint.query.dense;
    if !dense.is_empty() && settings.dim != checkpoint.query.dim() {
        let reason = format!("has views of {}", checkpoint.query.dim());
        return unfit("architecture.dim", settings.dim.to_string(), &reason);
    }
    match run.mode {
        Mode::Full => Ok(0),
        Mode::Frozen if checkpoint.query_side.expansion.is_some_and(|it| !it.attended) => {
            unfit("mode", "frozen".to_owned(), "fills queries with tokens that others do not see")
        }
        Mode::Frozen if split => unfit("mode", "frozen".to_owned(), "has an encoder for each side"),
        Mode::Frozen if settings.tuned_layers >= layers => {
            let reason = format!("has {layers} layers: for all of them set `mode = \"full\"`");
            unfit("architecture.tuned_layers", settings.tuned_layers.to_string(), &reason)
        }
        Mode::Frozen => Ok(layers - settings.tuned_layers),
    }
}

/// Refuses a change of the windows of trained document lanes.
fn check_windows(run: &Run, checkpoint: &Checkpoint) -> Result<(), TrainError> {
    let settings = &run.architecture;
    let Some(router) = &checkpoint.router else { return Ok(()) };
    let count = router.config.document_lanes.filter(|&count| count > 0);
    let goes_on = count == Some(settings.document_lanes);
    if !goes_on || router.config.document_windows == settings.document_windows {
        return Ok(());
    }
    let (found, path) = (settings.document_windows.to_string(), run.model.clone());
    let reason = match settings.document_windows {
        true => "has document lanes that look at all of a document",
        false => "has document lanes that look at a part of it each",
    };
    let key = "architecture.document_windows";
    Err(TrainError::Unfit { key, found, path, reason: reason.to_owned() })
}

/// Refuses new projections with more dimensions than the states, and a `start` without new
/// projections.
fn check_maps(run: &Run, checkpoint: &Checkpoint) -> Result<(), TrainError> {
    let settings = &run.architecture;
    let towers = std::iter::once(&checkpoint.query).chain(&checkpoint.document);
    let hidden = towers.map(|tower| tower.architecture.hidden).min().unwrap_or(0);
    let new = checkpoint.query.dense.is_empty();
    let known = |weights: &Tensors| {
        weights.shape("lane_query.weight").is_some_and(|shape| shape[0] == settings.lane_dim)
    };
    let lanes_known = checkpoint.router.as_ref().is_some_and(|router| known(&router.weights));
    let dims = [
        ("architecture.dim", settings.dim, new),
        ("architecture.lane_dim", settings.lane_dim, !lanes_known),
    ];
    let (start, made) = (settings.start, dims.iter().any(|&(_, dim, new)| new && dim > 0));
    if !made && start != Start::Pca {
        let (key, found) = ("architecture.start", format!("{start:?}").to_lowercase());
        let reason = "has all maps to views that this run learns: none is initialised".to_owned();
        return Err(TrainError::Unfit { key, found, path: run.model.clone(), reason });
    }
    match dims.into_iter().find(|&(_, dim, new)| new && dim > hidden) {
        None => Ok(()),
        Some((key, dim, _)) => {
            let (found, path) = (dim.to_string(), run.model.clone());
            let reason = format!("has states of {hidden}: no view is longer");
            Err(TrainError::Unfit { key, found, path, reason })
        }
    }
}

fn check_sizes(run: &Run, pairs: &Pairs) -> Result<(), TrainError> {
    let wanted = run.schedule.batch;
    match pairs.sources.iter().find(|source| source.examples.len() < wanted) {
        None => Ok(()),
        Some(source) => {
            let (path, found) = (source.path.clone(), source.examples.len());
            Err(DataError::TooFew { path, found, wanted }.into())
        }
    }
}

/// Whether projections from states to views must be created.
fn new_maps(run: &Run, checkpoint: &Checkpoint) -> bool {
    let settings = &run.architecture;
    checkpoint.query.dense.is_empty() && settings.dim > 0 || settings.lane_dim > 0
}

/// The states of some texts, queries and documents.
fn sample(model: &Model, tokens: &[TokenTable; 2]) -> Vec<f32> {
    let some = |table: &TokenTable| {
        let step = table.len().div_ceil(SAMPLE).max(1);
        (0..table.len())
            .step_by(step)
            .map(|text| table.of(text as u32).to_vec())
            .collect::<Vec<_>>()
    };
    let texts: Vec<Vec<u32>> = tokens.iter().flat_map(some).collect();
    let states = model.states_of_many(&texts);
    states.iter().flat_map(|states| states.values().iter()).copied().collect()
}

/// The tokens that give no views of documents.
fn skip(run: &Run, checkpoint: &Checkpoint) -> Vec<u32> {
    let mut skip: Vec<u32> = checkpoint.document_side.skip.iter().copied().collect();
    if run.architecture.skip_punctuation {
        let spelled =
            (0_u8..128).filter(u8::is_ascii_punctuation).map(|byte| char::from(byte).to_string());
        skip.extend(spelled.filter_map(|spelling| checkpoint.tokeniser.id(&spelling)));
    }
    skip.sort_unstable();
    skip.dedup();
    skip
}

impl Prepared {
    /// The text of a token, for display.
    pub(crate) fn spelling(&self, token: u32) -> String {
        self.checkpoint.tokeniser.spelling(token).unwrap_or_else(|| token.to_string())
    }

    /// What other systems know of a batch.
    pub(crate) fn teachers(&self, batch: &Batch) -> Teachers {
        let Batch { queries, documents, .. } = batch;
        let scores = self.teacher.as_ref().map(|teacher| {
            let row =
                |&query| documents.iter().map(move |&document| teacher.score(query, document));
            queries.iter().flat_map(row).collect()
        });
        let [of_queries, of_documents] = &self.teacher_views;
        let of = |views: &Option<TeacherViews>, texts| Some(views.as_ref()?.of(texts));
        Teachers { scores, views: [of(of_queries, queries), of(of_documents, documents)] }
    }
}
