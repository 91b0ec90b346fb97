//! A training run from its first step to its last, with stops and resumes in between.
//!
//! ```text
//! prepare → [resume] → step, step, … measure … save … → the best model, written as a checkpoint
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use fastlane_model::FingerprintMatch;

use crate::architecture::{Export, Parameter, export};
use crate::backend::{Cpu, Device, alone, hash};
use crate::data::{Batch, Batches};
use crate::error::TrainError;
use crate::evaluation::eval_set::JudgedSet;
use crate::events::diagnostics::Diagnostics;
use crate::events::metrics::Metrics;
use crate::events::observer::{Event, Measurement, Observer, Phase, Ready, report_progress};
use crate::report::{EXAMPLES, report};
use crate::run::{DeviceSettings, Run};
use crate::storage::{lock, put};
use crate::training::checkpoint::{
    CHECKPOINTS, Checkpoints, State, read_best, read_state, restore, save_best,
};
use crate::training::final_test::test;
use crate::training::learner::Learner;
use crate::training::memory;
use crate::training::prepare::{Prepared, prepare};
use crate::training::provenance::{MODEL, Provenance};
use crate::training::sample_queries::examples;

/// The directories of a run.
#[derive(Debug, Clone)]
pub struct RunPaths {
    /// The run's own directory: checkpoints, metrics, and at the end the model.
    pub output: PathBuf,
    /// The cache for states of frozen encoders, which runs share.
    pub cache: PathBuf,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is finished, and the model is written.
    Finished {
        /// The checkpoint, for `fastlane encode` and others.
        model: PathBuf,
        /// The best evaluation: its step and value.
        best: Option<(u32, f64)>,
    },
    /// It was stopped; the same call resumes it.
    Stopped {
        /// The step that was saved.
        step: u32,
    },
}

/// Starts or resumes a run.
///
/// Only one run at a time trains in a process; others wait.
///
/// # Errors
///
/// The run cannot start, a loss is not finite, or an output cannot be written. Saved states are
/// kept.
pub fn train(
    run: &Run,
    paths: &RunPaths,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    run.check()?;
    check_output(&run.model, &paths.output)?;
    let _lock = lock(&paths.output)?;
    let checkpoints = Checkpoints::of(&paths.output);
    let last = checkpoints.last().map(|path| Ok((read_state(&path)?, path)));
    let last = last.transpose().map_err(|error: TrainError| error)?;
    if let Some((state, _)) = &last {
        same_run(&paths.output, &state.run, run)?;
    }
    let prepared = prepare(run, &paths.cache, observer)?;
    if let Some((state, _)) = &last {
        same_origins(&paths.output, &state.origins, &prepared)?;
    }
    let _alone = alone();
    match run.device {
        DeviceSettings::Cpu => {
            let device = Default::default();
            Training::<Cpu>::new(&prepared, paths, device, observer).run(last)
        }
        DeviceSettings::Cuda => on_cuda(&prepared, paths, observer, last),
    }
}

#[cfg(feature = "cuda")]
fn on_cuda(
    prepared: &Prepared,
    paths: &RunPaths,
    observer: &mut dyn Observer,
    last: Option<(State, PathBuf)>,
) -> Result<Outcome, TrainError> {
    let device = crate::backend::cuda_device()
        .map_err(|reason| TrainError::Device { wanted: "cuda", reason })?;
    Training::<crate::backend::Cuda>::new(prepared, paths, device, observer).run(last)
}

#[cfg(not(feature = "cuda"))]
fn on_cuda(
    _: &Prepared,
    _: &RunPaths,
    _: &mut dyn Observer,
    _: Option<(State, PathBuf)>,
) -> Result<Outcome, TrainError> {
    let reason = "this program was built without it: build with `--features cuda`".to_owned();
    Err(TrainError::Device { wanted: "cuda", reason })
}

/// Refuses a directory in which a run would overwrite files of another program.
fn check_output(model: &Path, output: &Path) -> Result<(), TrainError> {
    let new = output.join("model");
    if let (Ok(base), Ok(new)) = (model.canonicalize(), new.canonicalize())
        && base == new
    {
        return Err(TrainError::OverModel { path: model.to_owned() });
    }
    let ours = output.join(CHECKPOINTS).exists();
    match ["run.toml", "model"].into_iter().find(|name| output.join(name).exists()) {
        Some(found) if !ours => Err(TrainError::NotOurs { path: output.to_owned(), found }),
        _ => Ok(()),
    }
}

/// Refuses to resume a run with other settings.
fn same_run(output: &Path, saved: &str, run: &Run) -> Result<(), TrainError> {
    let parse = |text: &str| toml::from_str::<toml::Table>(text).unwrap_or_default();
    // a key that was added later has its default in a saved run
    let saved = toml::from_str::<Run>(saved).map_or_else(|_| saved.to_owned(), |it| written(&it));
    let (found, wanted) = (parse(&saved), parse(&written(run)));
    let shown =
        |value: Option<&toml::Value>| value.map_or("absent".to_owned(), ToString::to_string);
    let keys = wanted.keys().chain(found.keys());
    // the sets of the final test may be chosen later
    let mut keys = keys.into_iter().filter(|&key| key != "test");
    let differs = keys.find(|key| found.get(*key) != wanted.get(*key));
    match differs {
        None => Ok(()),
        Some(key) => Err(TrainError::OtherRun {
            path: output.to_owned(),
            key: key.clone(),
            found: shown(found.get(key)),
            wanted: shown(wanted.get(key)),
        }),
    }
}

/// Refuses to resume with other data, another initial model, or other dev sets.
fn same_origins(output: &Path, saved: &Provenance, prepared: &Prepared) -> Result<(), TrainError> {
    for (key, wanted) in &prepared.origins {
        let found = saved.get(key).map_or("none", String::as_str);
        let same = match key.as_str() {
            MODEL => prepared.checkpoint.compare(found)? != FingerprintMatch::Other,
            _ => found == wanted,
        };
        if !same {
            return Err(TrainError::OtherRun {
                path: output.to_owned(),
                key: key.clone(),
                found: format!("of hash {found}"),
                wanted: format!("of hash {wanted}"),
            });
        }
    }
    Ok(())
}

/// A run file with all defaults written out.
fn written(run: &Run) -> String {
    toml::to_string(run).expect("a run is plain TOML")
}

struct Training<'a, D: Device> {
    prepared: &'a Prepared,
    paths: &'a RunPaths,
    learner: Learner<'a, D>,
    observer: &'a mut dyn Observer,
    state: State,
    diagnostics: Diagnostics,
}

/// The reason why the loop ended.
enum End {
    Done,
    Stopped,
}

impl<'a, D: Device> Training<'a, D> {
    fn new(
        prepared: &'a Prepared,
        paths: &'a RunPaths,
        device: D::Device,
        observer: &'a mut dyn Observer,
    ) -> Self {
        let schedule = &prepared.run.schedule;
        let warm_up = (schedule.warm_up * schedule.steps as f32) as u32;
        let state = State::new(written(&prepared.run), prepared.origins.clone());
        let learner = Learner::new(prepared, prepared.parameters.clone(), device);
        Self { prepared, paths, learner, observer, state, diagnostics: Diagnostics::new(warm_up) }
    }

    fn run(mut self, last: Option<(State, PathBuf)>) -> Result<Outcome, TrainError> {
        if let Some((state, path)) = last {
            let Learner { weights, optimiser, .. } = &mut self.learner;
            restore(&path, &state, weights, optimiser)?;
            self.diagnostics.reported.clone_from(&state.reported);
            self.state = state.renewed(self.prepared.origins.clone());
        }
        Checkpoints::of(&self.paths.output).make()?;
        let mut metrics = Metrics::open(&self.paths.output, self.state.step)?;
        self.begin(&mut metrics)?;
        let end = if self.waited_enough() { End::Done } else { self.steps(&mut metrics)? };
        match end {
            End::Stopped => {
                self.save()?;
                Ok(Outcome::Stopped { step: self.state.step })
            }
            End::Done => self.finish(&mut metrics),
        }
    }

    fn begin(&mut self, metrics: &mut Metrics) -> Result<(), TrainError> {
        put(&self.paths.output.join("run.toml"), self.state.run.as_bytes())?;
        let prepared = self.prepared;
        let parameters = prepared.parameters.iter().map(|it| it.values.len()).sum();
        let documents = prepared.tokens[1].len();
        let cut = prepared.tokens[1].cut;
        self.observer.on_event(&Event::Ready(Ready {
            queries: prepared.tokens[0].len(),
            documents,
            parameters,
            memory: memory::expected(prepared, &self.batches(), self.state.step),
            resumed: self.state.step,
            steps: prepared.run.schedule.steps,
            cut,
        }));
        if let Some(warning) = Diagnostics::coverage(cut, documents) {
            if self.diagnostics.is_first(&warning, self.state.step) {
                metrics.warning(self.state.step, &warning)?;
            }
            self.observer.on_event(&Event::Warning(warning));
        }
        Ok(())
    }

    fn batches(&self) -> Batches<'a> {
        let run = &self.prepared.run;
        Batches {
            pairs: &self.prepared.pairs,
            documents: &self.prepared.tokens[1],
            seed: hash(run.seed, 21),
            size: run.schedule.batch,
            alike: run.schedule.alike,
            positives: run.schedule.positives,
            negatives: run.negatives.per_query,
        }
    }

    /// Makes the remaining steps; batches are gathered on another thread.
    fn steps(&mut self, metrics: &mut Metrics) -> Result<End, TrainError> {
        let run = &self.prepared.run;
        let accumulate = run.schedule.accumulate;
        let from = u64::from(self.state.step) * accumulate as u64;
        let left = run.schedule.steps - self.state.step;
        let batches = self.batches();
        std::thread::scope(|scope| {
            let (give, take) = sync_channel::<Vec<Batch>>(4);
            scope.spawn(move || {
                let mut all = batches.from(from);
                for _ in 0..left {
                    if give.send(all.by_ref().take(accumulate).collect()).is_err() {
                        return;
                    }
                }
            });
            for step in take {
                if let Some(end) = self.step(&step, metrics)? {
                    return Ok(end);
                }
            }
            Ok(End::Done)
        })
    }

    /// Makes one step, and then evaluates and saves if due.
    fn step(
        &mut self,
        batches: &[Batch],
        metrics: &mut Metrics,
    ) -> Result<Option<End>, TrainError> {
        if self.observer.stops() {
            return Ok(Some(End::Stopped));
        }
        let report = self.learner.step(self.state.step, batches).map_err(|mut error| {
            if let TrainError::NotFinite { saved, .. } = &mut error {
                let last = Checkpoints::of(&self.paths.output).last();
                *saved = last.and_then(|path| read_state(&path).ok()).map(|state| state.step);
            }
            error
        })?;
        self.state.step += 1;
        metrics.step(&report)?;
        let warnings = self.diagnostics.observe(&report);
        self.observer.on_event(&Event::Step(report));
        for warning in warnings {
            metrics.warning(self.state.step, &warning)?;
            self.observer.on_event(&Event::Warning(warning));
        }
        let (schedule, saving) = (&self.prepared.run.schedule, &self.prepared.run.saving);
        let last = self.state.step == schedule.steps;
        let due = |every: u32| every > 0 && self.state.step.is_multiple_of(every);
        let saves = due(saving.every) && !last;
        if (due(saving.measure_every) || last) && self.measure(metrics)? {
            return Ok(Some(End::Done));
        }
        if saves {
            self.save()?;
        }
        Ok(None)
    }

    /// Evaluates the model, saves it if it is the best, and returns whether patience has run out.
    fn measure(&mut self, metrics: &mut Metrics) -> Result<bool, TrainError> {
        if self.prepared.dev.is_empty() {
            return Ok(false);
        }
        self.observer.on_event(&Event::Phase(Phase::Measuring, 0));
        let (network, modes) = (self.learner.network(), self.prepared.run.search_modes());
        let mut sets = Vec::new();
        for set in &self.prepared.dev {
            let found = set.search(&network, &modes, self.learner.device(), &mut |_| Ok(()))?;
            sets.push((set.path.clone(), set.measures(&found)));
        }
        let value = sets.iter().map(|(_, measures)| measures[0].1).sum::<f64>() / sets.len() as f64;
        let best = self.state.best.is_none_or(|(_, best)| value > best);
        if best {
            self.state.best = Some((self.state.step, value));
            self.state.waited = 0;
            save_best(&self.paths.output, &self.learner.weights.parameters())?;
        } else {
            self.state.waited += 1;
        }
        let measurement = Measurement { step: self.state.step, sets, value, best };
        metrics.measurement(&measurement)?;
        self.observer.on_event(&Event::Measured(measurement));
        Ok(self.waited_enough())
    }

    /// Evaluates the final model on the test sets.
    fn test(
        &mut self,
        parameters: Vec<Parameter>,
        metrics: &mut Metrics,
    ) -> Result<(), TrainError> {
        if self.prepared.test.is_empty() {
            return Ok(());
        }
        let prepared = self.prepared;
        let all: usize = prepared.test.iter().map(JudgedSet::documents).sum();
        self.observer.on_event(&Event::Phase(Phase::Testing, all as u64));
        let kept = Learner::<D>::new(prepared, parameters, self.learner.device().clone());
        let mut done = 0;
        for set in &prepared.test {
            let mut seen = |documents| {
                done += documents;
                report_progress(self.observer, done)
            };
            let report = test(set, &kept, prepared, &self.paths.output, &mut seen)?;
            metrics.test(self.state.step, &report)?;
            self.observer.on_event(&Event::Tested(report));
        }
        Ok(())
    }

    /// Whether there was no improvement for as long as the run waits.
    fn waited_enough(&self) -> bool {
        let patience = self.prepared.run.schedule.patience;
        patience > 0 && self.state.waited >= patience
    }

    /// Writes the report, with the router's current shares for sample queries.
    fn show(&self) -> Result<(), TrainError> {
        let saved = examples(self.prepared, &self.learner)?;
        let path = self.paths.output.join(EXAMPLES);
        let failed = |error: serde_json::Error| TrainError::Write {
            path: path.clone(),
            source: error.into(),
        };
        put(&path, &serde_json::to_vec(&saved).map_err(failed)?)?;
        report(&self.paths.output).map(|_| ())
    }

    fn save(&mut self) -> Result<(), TrainError> {
        self.state.reported.clone_from(&self.diagnostics.reported);
        let Learner { weights, optimiser, .. } = &self.learner;
        Checkpoints::of(&self.paths.output).save(&self.state, weights, optimiser)?;
        self.show()?;
        self.observer.on_event(&Event::Saved(self.state.step));
        Ok(())
    }

    /// Writes the best model as a checkpoint.
    fn finish(mut self, metrics: &mut Metrics) -> Result<Outcome, TrainError> {
        self.save()?;
        let output = &self.paths.output;
        let parameters: Vec<Parameter> = match self.state.best {
            Some(_) => read_best(output, &self.prepared.parameters)?,
            None => self.learner.weights.parameters(),
        };
        let model = output.join("model");
        if model.exists() {
            let failed = |source| TrainError::Write { path: model.clone(), source };
            fs::remove_dir_all(&model).map_err(failed)?;
        }
        export(&model, &self.prepared.export(), &parameters)?;
        if let Err(error) = self.test(parameters, metrics) {
            // the model is written: only its tests are left
            let stopped = Outcome::Stopped { step: self.state.step };
            return if error.is_stop() { Ok(stopped) } else { Err(error) };
        }
        metrics.finish()?;
        self.show()?;
        Ok(Outcome::Finished { model, best: self.state.best })
    }
}

impl Prepared {
    fn export(&self) -> Export<'_> {
        let spelling = |&id: &u32| self.checkpoint.tokeniser.spelling(id).unwrap_or_default();
        Export {
            checkpoint: &self.checkpoint,
            tokenizer: &self.tokenizer,
            settings: &self.run.architecture,
            lanes: self.run.router.lanes,
            skip: self.frame.skip.iter().map(spelling).collect(),
        }
    }
}
