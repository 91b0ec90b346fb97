//! Checkpoints, tokens and views, through the public API.

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
mod roberta;
mod tokenise;
