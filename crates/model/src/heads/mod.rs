//! Heads on the hidden states of an encoder: projections to views, the router, and document lanes.

pub(crate) mod document_lanes;
pub(crate) mod projection;
pub(crate) mod router;
