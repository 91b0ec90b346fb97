//! From collections to batches: pairs, their tokens, and which of them make a step.
//!
//! ```text
//! files → pairs (texts once each, examples by source) → [mined negatives] → tokens
//!       → [states of a frozen encoder, on disk] → batch number n, always the same
//! ```
//!
//! Which pairs batch n holds follows from the seed and n alone, so a run that resumes sees what
//! it would have seen.

mod batches;
mod error;
mod mine;
mod pairs;
mod sources;
mod states;
mod teacher;
mod tokens;

pub(crate) use batches::{Batch, Batches};
pub use error::DataError;
pub(crate) use mine::mine;
pub(crate) use pairs::{Example, Pairs, Source};
pub(crate) use sources::{judged, read};
pub(crate) use states::States;
pub(crate) use teacher::Teacher;
pub(crate) use tokens::TokenTable;
