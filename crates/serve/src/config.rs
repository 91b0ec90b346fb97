//! What a service is made of.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::Keys;

/// What a service is made of.
pub struct Config {
    /// The indexes by name.
    pub indexes: Vec<(String, PathBuf)>,
    /// Where the model is, if it moved since it indexed.
    pub model: Option<PathBuf>,
    /// Who may do what; everybody everything without.
    pub keys: Option<Keys>,
    /// Threads that search.
    pub threads: NonZero<usize>,
    /// How much is taken at most.
    pub limits: Limits,
    /// Gets a JSON object for each request.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

/// How much is taken at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a query.
    pub query: usize,
    /// Queries of one request.
    pub queries: usize,
    /// Views of one query that comes as vectors.
    pub views: usize,
    /// Bytes of a filter.
    pub filter: usize,
    /// Bytes of bodies that are in memory at a time.
    pub bodies: usize,
    /// Documents that a query may ask for, and those that late interaction scores.
    pub k: usize,
    /// Requests that wait for a thread.
    pub waiting: usize,
    /// Changes that were accepted and wait to be written.
    pub pending: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a request may take, its body included.
    pub request: Duration,
}

impl Default for Limits {
    /// What suits a machine of a few cores.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            query: 16 << 10,
            queries: 256,
            views: 512,
            filter: 4 << 10,
            bodies: 256 << 20,
            k: 1000,
            waiting: 32,
            pending: 1000,
            connections: 1024,
            request: Duration::from_secs(30),
        }
    }
}

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
