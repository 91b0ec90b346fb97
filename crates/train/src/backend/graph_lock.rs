//! Allows one autodiff graph at a time.
//!
//! The tensor library keeps the graphs of all threads in one place, and a thread that cleans up
//! there may remove parts of another thread's graph. The gradients are then too small, without an
//! error (seen with burn 0.21 and several runs in one process, some once in a hundred steps).

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// Locks the use of graphs for this thread, and waits for other threads.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    // the graph of a thread that panicked is not used any more
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
