//! Measures, significance tests and file formats, against other implementations and naive
//! references.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../tests/shared_data.rs"]
mod shared_data;

mod bad_input;
mod golden;
mod naive;
