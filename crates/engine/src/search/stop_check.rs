//! Stops a search between two of its steps, when its caller no longer wants the result.

use std::cell::Cell;

use crate::index::SearchError;

/// A step is a scored document or a scanned list: tens of microseconds. The caller is asked once
/// per this many steps, which has no measurable cost and delays a stop by about a millisecond.
const STEPS: u32 = 32;

/// Asks the caller now and then whether to go on.
pub(super) struct StopCheck<'a> {
    go_on: &'a dyn Fn() -> bool,
    left: Cell<u32>,
}

impl<'a> StopCheck<'a> {
    pub(super) fn new(go_on: &'a dyn Fn() -> bool) -> Self {
        Self { go_on, left: Cell::new(1) }
    }

    /// Counts a step; fails when the caller has stopped the search.
    pub(super) fn step(&self) -> Result<(), SearchError> {
        match self.left.get() {
            1 if (self.go_on)() => self.left.set(STEPS),
            1 => return Err(SearchError::Stopped),
            left => self.left.set(left - 1),
        }
        Ok(())
    }
}
