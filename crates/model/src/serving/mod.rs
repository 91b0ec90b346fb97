//! Runs a checkpoint in memory: encodes texts, and distributes the work over threads.

pub(crate) mod document_stream;
pub(crate) mod in_flight;
pub(crate) mod model;
pub(crate) mod phases;
pub(crate) mod pipeline;
pub(crate) mod tower;
