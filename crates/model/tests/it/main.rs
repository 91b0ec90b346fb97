//! Checkpoints, tokens and views, as a user of the crate meets them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../../tests/minilm.rs"]
mod minilm;
#[path = "../../../../tests/shared_data.rs"]
mod shared_data;

mod checkpoint;
mod checkpoint_bad_input;
mod checkpoint_ours_bad_input;
mod checkpoints;
mod compat;
mod model;
mod tokenise;
