//! Stops a search between two of its steps, when its caller no longer wants the result.

use std::cell::Cell;

use super::error::LexicalSearchError;

/// The caller is asked once for this many lists of a range: a tenth of a millisecond, or more where
/// lists are long.
const STEPS: u32 = 64;

/// Asks the caller at intervals whether to continue the search.
pub(super) struct Pace<'a> {
    go_on: &'a dyn Fn() -> bool,
    left: Cell<u32>,
}

impl<'a> Pace<'a> {
    pub(super) fn new(go_on: &'a dyn Fn() -> bool) -> Self {
        Self { go_on, left: Cell::new(STEPS) }
    }

    /// Fails when the search should stop.
    pub(super) fn look(&self) -> Result<(), LexicalSearchError> {
        self.left.set(STEPS);
        match (self.go_on)() {
            true => Ok(()),
            false => Err(LexicalSearchError::Stopped),
        }
    }

    /// The same for a small step: asks once in this many steps.
    pub(super) fn step(&self) -> Result<(), LexicalSearchError> {
        match self.left.get() {
            1 => self.look(),
            left => {
                self.left.set(left - 1);
                Ok(())
            }
        }
    }
}
