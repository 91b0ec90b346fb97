//! The documents that pass a filter, reusable over several searches.

use std::sync::Arc;

use super::bits::Bits;

/// The documents of one reader that pass a filter: a bit for each, so that searches with the same
/// filter evaluate it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passing {
    /// For each segment; `None` when that is all of its documents.
    pub(super) segments: Vec<Option<Arc<Bits>>>,
}
