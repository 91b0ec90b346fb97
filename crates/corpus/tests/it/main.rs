//! Readers, filters and the lexical index, as a user of the crate meets them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../tests/shared_data.rs"]
mod shared_data;

mod filter;
mod lexical;
mod lexical_naive;
mod lexical_operations;
mod lexical_scifact;
mod readers;
mod readers_bad_input;
