//! What stands on the states of an encoder: views, the shares of a router, and document lanes.

pub(crate) mod document_lanes;
pub(crate) mod projection;
pub(crate) mod router;
