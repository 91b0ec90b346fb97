//! What a run tells while it goes on, and what it warns of.

pub(crate) mod diagnostics;
pub(crate) mod metrics;
pub(crate) mod observer;
pub(crate) mod router_stats;
pub(crate) mod sign;
