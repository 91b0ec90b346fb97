//! What a run tells while it goes on, and how it is asked to stop.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::TrainError;
use crate::events::router_stats::Choice;
use crate::events::sign::Sign;

/// Sees a run learn.
pub trait Observer {
    /// Is told what happened.
    fn tell(&mut self, event: &Event);

    /// Whether the run shall save what it has and stop.
    fn stops(&self) -> bool;
}

/// Tells how much is done, and gives up when asked to.
pub(crate) fn tell_done(watch: &mut dyn Observer, done: usize) -> Result<(), TrainError> {
    watch.tell(&Event::Progress(done as u64));
    match watch.stops() {
        true => Err(TrainError::Stopped),
        false => Ok(()),
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Some work began; how many texts or documents it has, 0 if nobody knows.
    Phase(Phase, u64),
    /// So much of it is done.
    Progress(u64),
    /// The run is about to begin.
    Ready(Ready),
    /// A step was made.
    Step(StepReport),
    /// The model was measured.
    Measured(Measurement),
    /// The model that is kept was measured on a test set.
    Tested(TestReport),
    /// Everything was saved at a step.
    Saved(u32),
    /// Something is going wrong.
    Sign(Sign),
}

/// Work besides the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Pairs are read.
    Reading,
    /// Negatives are mined.
    Mining,
    /// The frozen encoder's states of queries are computed.
    EncodingQueries,
    /// Those of documents.
    EncodingDocuments,
    /// Those of dev and test sets.
    EncodingJudged,
    /// The model is measured on dev sets.
    Measuring,
    /// The model that is kept is measured on test sets.
    Testing,
}

/// A run that is about to begin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ready {
    /// Queries that are learned from.
    pub queries: usize,
    /// Documents that take part.
    pub documents: usize,
    /// Numbers that are learned.
    pub parameters: usize,
    /// The most bytes of memory it is expected to take.
    pub memory: u64,
    /// The step it goes on after; 0 from the beginning.
    pub resumed: u32,
    /// All steps.
    pub steps: u32,
    /// Documents that are longer than the run looks at.
    pub cut: usize,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// Its number, from 1.
    pub step: u32,
    /// What was made small.
    pub loss: f64,
    /// The terms it is the sum of, without their weights.
    pub terms: Vec<(String, f64)>,
    /// How far the rate has risen or fallen: 1 is the highest.
    pub rate: f32,
    /// How soft picks were, where lanes are picked with noise.
    pub tau: Option<f32>,
    /// How long the gradient was.
    pub gradient: f64,
    /// Tokens that went through the encoder, or were read, each second.
    pub tokens_per_second: f64,
    /// The mean entropy of the router's shares, as a share of the highest there could be.
    pub entropy: Option<f64>,
    /// The positions that the router would pick, one for each query.
    pub positions: Vec<u32>,
    /// The tokens there.
    pub tokens: Vec<u32>,
}

/// What a measurement gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// The step.
    pub step: u32,
    /// The dev sets, each with its measures by name.
    pub sets: Vec<(PathBuf, Vec<(String, f64)>)>,
    /// The number that decides which model is the best: the mean nDCG@10 of lanes.
    pub value: f64,
    /// Whether it is the best so far.
    pub best: bool,
}

/// What the model that is kept is worth on a test set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// The set.
    pub path: PathBuf,
    /// Its measures by name.
    pub measures: Vec<(String, f64)>,
    /// How the router chose, if there is one.
    pub choice: Option<Choice>,
}
