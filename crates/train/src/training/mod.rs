//! A training run: preparation, steps, checkpoints and results.

pub(crate) mod checkpoint;
pub(crate) mod final_test;
pub(crate) mod learner;
pub(crate) mod memory;
pub(crate) mod optimiser;
pub(crate) mod prepare;
pub(crate) mod provenance;
pub(crate) mod sample_queries;
pub(crate) mod schedule;
pub(crate) mod step;
pub(crate) mod trainer;
