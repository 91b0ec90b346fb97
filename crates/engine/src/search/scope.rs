//! Which documents a search may find, and when it ends.

use crate::index::{SearchError, Segment};

use super::DocumentSet;
use super::stop_check::StopCheck;

/// What every step of a search looks at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) filter: Option<&'a DocumentSet>,
    pub(super) stop_check: &'a StopCheck<'a>,
}

impl Scope<'_> {
    /// Counts a step of the search; fails when it shall end.
    pub(super) fn step(&self) -> Result<(), SearchError> {
        self.stop_check.step()
    }

    /// Whether not all documents may be found.
    pub(super) fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether a document may be found.
    pub(super) fn allows(&self, number: u32, segment: &Segment, document: usize) -> bool {
        !segment.deleted.has(document)
            && self.filter.is_none_or(|filter| {
                filter.segments.get(number as usize).is_some_and(|set| set.has(document))
            })
    }
}
