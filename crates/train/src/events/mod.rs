//! The events of a run: progress, metrics and warnings.

pub(crate) mod diagnostics;
pub(crate) mod metrics;
pub(crate) mod observer;
pub(crate) mod router_stats;
pub(crate) mod warning;
