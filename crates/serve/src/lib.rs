//! Collections over HTTP.
//!
//! ```text
//! connection → request id, log, time limit → key → handler → worker pool → collection
//!                                                         ↘ journal → writer → commit
//! ```
//!
//! Searches are worked on by as many threads as there are cores, behind a bounded queue in which
//! clients take turns: a full queue is answered at once, with 429. Connections, places in the queue
//! and memory are shared out between clients ([`Limits`]). Changes are written into a journal before
//! they are accepted, and into the collection by one thread for each index.

mod api;
mod bounded;
mod config;
mod error;
mod jobs;
mod journal;
mod keys;
mod metadata;
mod metrics;
mod middleware;
mod page;
mod peer;
mod queue;
mod rate;
mod server;
mod shares;
mod state;
mod worker_pool;
mod write_timeout;

pub use config::{Config, Limits, Tls};
pub use error::ServeError;
pub use keys::{Keys, Scope, new_key};
pub use server::serve;
pub use state::Service;
