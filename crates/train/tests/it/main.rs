//! Runs of training, as a user of the crate meets them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod compat;
mod judged;
mod planted;
#[cfg(unix)]
mod resume;
mod tiny;
