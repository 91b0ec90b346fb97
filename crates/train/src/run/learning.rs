//! Run file settings of the loss, the optimiser, the schedule and saving.

use serde::{Deserialize, Serialize};

impl super::Run {
    /// The initial temperature of the searched lane: that of sums if the lane is a sum.
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
    /// The peak learning rate of the encoder.
    pub rate: f32,
    /// The peak rate of projections and document lanes; by default the encoder's.
    pub head_rate: Option<f32>,
    /// The peak rate of the router; by default that of the heads.
    pub router_rate: Option<f32>,
    /// The factor of a layer's rate for each layer above it.
    pub layer_decay: f32,
    /// The decay rates of the running means.
    pub betas: [f32; 2],
    /// Added to the denominator, to avoid division by 0.
    pub epsilon: f32,
    /// The weight decay per step, multiplied by the rate; not for biases and norms.
    pub weight_decay: f32,
    /// The largest gradient norm; longer gradients are clipped.
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

/// The number and size of training steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Optimiser steps.
    pub steps: u32,
    /// The share of steps in which the rate rises.
    pub warm_up: f32,
    /// The decay of the rate after the warm-up.
    pub decay: Decay,
    /// Queries per batch.
    pub batch: usize,
    /// Queries per group whose documents share rare words; 1 for batches of mixed topics.
    pub alike: usize,
    /// The largest number of positives per query; finding one of them suffices.
    pub positives: usize,
    /// The number of batches whose gradients are accumulated for one step.
    pub accumulate: usize,
    /// The number of texts whose activations are stored at a time, while others are recomputed; 0
    /// for all.
    pub checkpoint_texts: usize,
    /// Stop when the dev metric has not improved for this many evaluations; 0 for never.
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

/// The decay of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Half a cosine: slow, fast, slow.
    Cosine,
    /// Linear.
    Linear,
    /// No decay.
    Constant,
}

/// The interpolation from a start to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Always the start.
    Constant,
    /// Linear.
    Linear,
    /// By the same factor at each step.
    Exponential,
    /// Half a cosine: slow, fast, slow.
    Cosine,
}

/// What is saved, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SavingSettings {
    /// Save the state for resuming every this many steps; it is also saved at the end and on a
    /// stop.
    pub every: u32,
    /// Evaluate on the dev sets every this many steps, and at the end; 0 only at the end.
    pub measure_every: u32,
}

impl Default for SavingSettings {
    fn default() -> Self {
        Self { every: 200, measure_every: 200 }
    }
}
