//! What a service is made of, and how much is taken at most.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::Keys;

/// Queries, or texts to be encoded, of one request. This and the next three are part of what the
/// description of the service promises, so that they are the same everywhere.
pub(crate) const QUERIES: usize = 256;
/// Views of one query that comes as vectors.
pub(crate) const VIEWS: usize = 512;
/// Values of one view that comes as a vector.
pub(crate) const VALUES: usize = 4096;
/// Documents, or ids, of one change.
pub(crate) const DOCUMENTS: usize = 10_000;

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

/// How much is taken at most. The guide has a table of these and of the fixed ones.
///
/// Of connections, of places and of memory a client may have at most three times what is left for
/// others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of an answer.
    pub answer: usize,
    /// Bytes of bodies and answers that are in memory at a time.
    pub memory: usize,
    /// Bytes of a query.
    pub query: usize,
    /// Bytes of a filter.
    pub filter: usize,
    /// Comparisons of a filter.
    pub comparisons: usize,
    /// Documents that a query may ask for, and those that late interaction scores.
    pub k: usize,
    /// Documents that all queries of a request may ask for together.
    pub hits: usize,
    /// Requests that wait for a thread.
    pub waiting: usize,
    /// Changes that were accepted and wait to be written.
    pub pending: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a request may take, its body included.
    pub request: Duration,
    /// How long the head of a request may take, or a TLS handshake; a fifth of it when more than
    /// half of the connections are taken.
    pub head: Duration,
    /// Bytes in a second that a client sends of a body, or takes of an answer, at least.
    pub rate: usize,
    /// How long a client may be slower than that.
    pub stall: Duration,
}

impl Default for Limits {
    /// What suits a machine of a few cores.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            answer: 32 << 20,
            memory: 64 << 20,
            query: 16 << 10,
            filter: 4 << 10,
            comparisons: 64,
            k: 1000,
            hits: 10_000,
            waiting: 32,
            pending: 1000,
            connections: 1024,
            request: Duration::from_secs(30),
            head: Duration::from_secs(10),
            rate: 8 << 10,
            stall: Duration::from_secs(10),
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
