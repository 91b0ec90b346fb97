//! A checkpoint in memory that encodes texts, and the threads that work on them.

pub(crate) mod document_stream;
pub(crate) mod in_flight;
pub(crate) mod model;
pub(crate) mod phases;
pub(crate) mod pipeline;
pub(crate) mod tower;
