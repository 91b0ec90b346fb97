//! Collections over HTTP.
//!
//! ```text
//! connection → request id, log, time limit → key → handler → desk of workers → collection
//!                                                         ↘ journal → writer → commit
//! ```
//!
//! Searches are worked off by as many threads as there are cores, behind a desk with room for a
//! few: who finds it full is told at once to come back later. Changes are written into a journal
//! before they are accepted, and into the collection by one thread for each index.

mod api;
mod cache;
mod config;
mod desk;
mod error;
mod jobs;
mod journal;
mod keys;
mod metrics;
mod middle;
mod page;
mod patience;
mod server;
mod state;

pub use config::{Config, Limits, Tls};
pub use error::ServeError;
pub use keys::{Keys, Scope, new_key};
pub use server::serve;
pub use state::Service;
