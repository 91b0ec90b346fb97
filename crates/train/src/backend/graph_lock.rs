//! One graph at a time.
//!
//! The tensor library keeps the graphs of all threads in one place, and a thread that cleans up
//! there may take away parts of another thread's graph: its gradients come out too small, without
//! a word (seen with burn 0.21 and several runs in one process, some once in a hundred steps).

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other thread computes with graphs, and keeps others from it.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    // a thread that panicked left a graph that nobody looks at any more
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
