//! The observer of a run: receives its events, and can stop it.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::TrainError;
use crate::events::router_stats::RouterStats;
use crate::events::warning::Warning;

/// Observes a run.
pub trait Observer {
    /// Receives an event.
    fn on_event(&mut self, event: &Event);

    /// Whether the run should save its state and stop.
    fn stops(&self) -> bool;
}

/// Reports progress, and fails when the observer stops the run.
pub(crate) fn report_progress(observer: &mut dyn Observer, done: usize) -> Result<(), TrainError> {
    observer.on_event(&Event::Progress(done as u64));
    match observer.stops() {
        true => Err(TrainError::Stopped),
        false => Ok(()),
    }
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A phase began, with its number of texts or documents; 0 if unknown.
    Phase(Phase, u64),
    /// The number of texts or documents that are done.
    Progress(u64),
    /// The run is about to start.
    Ready(Ready),
    /// A step was made.
    Step(StepReport),
    /// The model was evaluated.
    Measured(Measurement),
    /// The final model was evaluated on a test set.
    Tested(TestReport),
    /// The state was saved at a step.
    Saved(u32),
    /// A warning: training goes wrong.
    Warning(Warning),
}

/// A phase of work besides the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading pairs.
    Reading,
    /// Mining negatives.
    Mining,
    /// Encoding queries with the frozen encoder.
    EncodingQueries,
    /// Encoding documents with it.
    EncodingDocuments,
    /// Encoding dev and test sets with it.
    EncodingJudged,
    /// Evaluating the model on dev sets.
    Measuring,
    /// Evaluating the final model on test sets.
    Testing,
}

/// A run that is about to start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ready {
    /// The number of training queries.
    pub queries: usize,
    /// The number of training documents.
    pub documents: usize,
    /// The number of trained parameters.
    pub parameters: usize,
    /// The expected peak memory in bytes.
    pub memory: u64,
    /// The step after which it resumes; 0 for a new run.
    pub resumed: u32,
    /// The total number of steps.
    pub steps: u32,
    /// The number of documents that are cut at the run's limit.
    pub cut: usize,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: u32,
    /// The total loss.
    pub loss: f64,
    /// The terms of the loss, without their weights.
    pub terms: Vec<(String, f64)>,
    /// The factor of the learning rate: 1 is the highest.
    pub rate: f32,
    /// The temperature of picks, where lanes are picked with noise.
    pub tau: Option<f32>,
    /// The norm of the gradient.
    pub gradient: f64,
    /// Tokens per second that were encoded, or read from the cache.
    pub tokens_per_second: f64,
    /// The mean entropy of the router's shares, as a fraction of the maximum.
    pub entropy: Option<f64>,
    /// The position with the largest share, for each query.
    pub positions: Vec<u32>,
    /// The tokens at these positions.
    pub tokens: Vec<u32>,
}

/// The result of an evaluation on dev sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// The step.
    pub step: u32,
    /// The dev sets, each with its measures by name.
    pub sets: Vec<(PathBuf, Vec<(String, f64)>)>,
    /// The value that selects the best model: the mean nDCG@10 of lanes.
    pub value: f64,
    /// Whether it is the best so far.
    pub best: bool,
}

/// The evaluation of the final model on a test set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// The set.
    pub path: PathBuf,
    /// Its measures by name.
    pub measures: Vec<(String, f64)>,
    /// Statistics of the router's choices, if there is a router.
    pub choice: Option<RouterStats>,
}
