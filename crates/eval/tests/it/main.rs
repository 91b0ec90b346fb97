//! Measures, tests of significance and what is read, against foreign implementations and naive twins.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../tests/shared_data.rs"]
mod shared_data;

mod bad_input;
mod golden;
mod naive;
