//! Training runs, through the public API.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod compat;
mod judged;
mod planted;
#[cfg(unix)]
mod resume;
mod tiny;
