//! Storages for tests: one that does not wait for the disk, and two that fail on demand.

mod faulty;
mod forgetful;
mod unsynced;

pub use faulty::{Fault, Faulty};
pub use forgetful::{Forgetful, Loss};
pub use unsynced::Unsynced;
