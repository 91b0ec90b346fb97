//! From collections to batches: pairs, their tokens, and which of them make a step.
//!
//! ```text
//! files → pairs (texts once each, examples by source) → [mined negatives] → tokens
//!       → [states of a frozen encoder, on disk] → batch number n, always the same
//! ```
//!
//! The pairs of batch n follow from the seed and n alone, so a resumed run sees the same batches.

mod batches;
mod error;
pub(crate) mod inputs;
mod mine;
mod pairs;
mod sources;
mod states;
mod teacher;
mod tokens;
mod topic_groups;
mod views;

pub(crate) use batches::{Batch, Batches};
pub use error::DataError;
pub(crate) use mine::mine;
pub(crate) use pairs::{Example, Pairs, Source};
pub(crate) use sources::{judged, missing, read};
pub(crate) use states::States;
pub(crate) use teacher::Teacher;
pub(crate) use tokens::TokenTable;
pub(crate) use views::{Known, TeacherViews};

/// Hashes a list of numbers (FNV-1a by numbers), starting with the caller's number.
pub(crate) fn hash_of(start: u64, numbers: impl Iterator<Item = u32>) -> u64 {
    let step = |hash: u64, number| (hash ^ u64::from(number)).wrapping_mul(0x0000_0100_0000_01b3);
    numbers.fold(0xcbf2_9ce4_8422_2325 ^ start, step)
}
