//! What is made small, how weights move, and what is saved.

use serde::{Deserialize, Serialize};

impl super::Run {
    /// The temperature of the searched lane at the start: that of sums where the lane is one.
    pub(crate) fn lane_temperature(&self) -> f32 {
        match self.architecture.system {
            super::System::SumMax => self.loss.sum_max_temperature,
            _ => self.loss.temperature,
        }
    }
}

/// How weights move: AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimiserSettings {
    /// The highest rate of the encoder.
    pub rate: f32,
    /// That of maps to views and of document lanes; the encoder's if nothing is said.
    pub head_rate: Option<f32>,
    /// That of the router; the heads' if nothing is said.
    pub router_rate: Option<f32>,
    /// What the rate of a layer is multiplied with for each layer above it.
    pub layer_decay: f32,
    /// How much of the running means stays.
    pub betas: [f32; 2],
    /// What keeps it from dividing by 0.
    pub epsilon: f32,
    /// The share of a weight that is lost at each step, times the rate; not of biases and norms.
    pub weight_decay: f32,
    /// The most that a gradient may be long.
    pub clip: f32,
}

impl Default for OptimiserSettings {
    fn default() -> Self {
        Self {
            rate: 3e-5,
            head_rate: None,
            router_rate: None,
            layer_decay: 1.0,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: 1.0,
        }
    }
}

/// For how long a run learns, and in what portions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Steps of the optimiser.
    pub steps: u32,
    /// The share of steps in which the rate rises.
    pub warm_up: f32,
    /// How the rate falls then.
    pub decay: Decay,
    /// Queries in a batch.
    pub batch: usize,
    /// Queries of a batch that come together because their documents share rare words; 1 for
    /// batches of all sorts.
    pub alike: usize,
    /// Right answers that each brings, if it has so many; one of them found suffices.
    pub positives: usize,
    /// Batches whose gradients are added up for one step.
    pub accumulate: usize,
    /// Texts whose inner states are held at a time, the others are computed twice; 0 for all.
    pub checkpoint_texts: usize,
    /// Stop when the dev metric has not become better for so many measurements; 0 for never.
    pub patience: usize,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            steps: 1000,
            warm_up: 0.1,
            decay: Decay::Cosine,
            batch: 32,
            alike: 1,
            positives: 1,
            accumulate: 1,
            checkpoint_texts: 0,
            patience: 0,
        }
    }
}

/// How the rate falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Slowly, fast, slowly.
    Cosine,
    /// Evenly.
    Linear,
    /// Not at all.
    Constant,
}

/// The way from a start to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The start, always.
    Constant,
    /// Evenly.
    Linear,
    /// By the same factor each step.
    Exponential,
    /// Slowly, fast, slowly.
    Cosine,
}

/// What is saved, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SavingSettings {
    /// Save everything that resuming needs every so many steps; at the end and at a stop anyway.
    pub every: u32,
    /// Measure on the dev sets every so many steps, and at the end; 0 only at the end.
    pub measure_every: u32,
}

impl Default for SavingSettings {
    fn default() -> Self {
        Self { every: 200, measure_every: 200 }
    }
}
