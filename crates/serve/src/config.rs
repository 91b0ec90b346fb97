//! The configuration and the limits of a service.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::Keys;

/// The most queries, or texts to encode, of one request. This and the next four limits are part of
/// the OpenAPI description, so they are not configurable.
pub(crate) const QUERIES: usize = 256;
/// The most passages before and after a hit.
pub(crate) const CONTEXT: usize = 10;
/// The most views of a query that is sent as vectors.
pub(crate) const VIEWS: usize = 512;
/// The most values of one view that is sent as a vector.
pub(crate) const VALUES: usize = 4096;
/// The most documents, or ids, of one change.
pub(crate) const DOCUMENTS: usize = 10_000;

/// The configuration of a service.
pub struct Config {
    /// The indexes by name.
    pub indexes: Vec<(String, PathBuf)>,
    /// The directory of the model, if it has moved since indexing.
    pub model: Option<PathBuf>,
    /// The directory of the journals, one of each index by its name; by default, the journal of an
    /// index is where it was before, at first in the directory of the index.
    pub journals: Option<PathBuf>,
    /// The keys; without them, every client has full access.
    pub keys: Option<Keys>,
    /// Number of search threads.
    pub threads: NonZero<usize>,
    /// The limits.
    pub limits: Limits,
    /// The log: it receives a JSON object for each request.
    pub log: Arc<dyn Fn(&str) + Send + Sync>,
}

/// The limits of a service. The guide has a table of these and of the fixed limits.
///
/// A client may hold at most three times as many connections, queue places or bytes as are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a response.
    pub answer: usize,
    /// Bytes of bodies and responses that are in memory at a time.
    pub memory: usize,
    /// Bytes of a query.
    pub query: usize,
    /// Bytes of a filter.
    pub filter: usize,
    /// Comparisons of a filter.
    pub comparisons: usize,
    /// The largest `k` and `rerank` of a query.
    pub k: usize,
    /// Documents that all queries of a request may request together.
    pub hits: usize,
    /// Requests that wait for a thread.
    pub waiting: usize,
    /// Accepted changes that wait to be committed.
    pub pending: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a request may take, its body included.
    pub request: Duration,
    /// Time limit for the head of a request, or a TLS handshake; a fifth of it when more than half
    /// of the connections are in use.
    pub head: Duration,
    /// The minimum rate, in bytes per second, at which a client must send a body and read a
    /// response.
    pub rate: usize,
    /// How long a client may be slower than the minimum rate.
    pub stall: Duration,
}

impl Default for Limits {
    /// Defaults for a machine with a few cores.
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
    /// The certificate with its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
