//! The state of a running service: indexes, worker pool and metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fastlane::{Collection, Encoder, Settings};

use crate::config::{Config, Limits};
use crate::error::{Refusal, ServeError};
use crate::jobs::Jobs;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::shares::Shares;
use crate::worker_pool::WorkerPool;

/// The open indexes, the workers and the limits.
pub struct Service {
    pub(crate) state: Arc<State>,
}

pub(crate) struct State {
    pub(crate) indexes: BTreeMap<String, Arc<Index>>,
    pub(crate) workers: WorkerPool,
    pub(crate) metrics: Metrics,
    pub(crate) keys: Option<Keys>,
    pub(crate) limits: Limits,
    /// Bytes of bodies and responses in memory.
    pub(crate) memory: Arc<Shares>,
    pub(crate) connections: Arc<Shares>,
    pub(crate) log: Arc<dyn Fn(&str) + Send + Sync>,
    pub(crate) stopping: AtomicBool,
    requests: AtomicU64,
    /// Start time: makes request ids unique between services.
    pub(crate) started: u64,
}

/// An index and its changes.
pub(crate) struct Index {
    pub(crate) collection: Collection,
    pub(crate) jobs: Jobs,
}

impl Service {
    /// Opens all indexes, and resumes with changes that were accepted earlier.
    ///
    /// # Errors
    ///
    /// An index cannot be opened, or its name cannot be part of a URL.
    pub fn open(config: Config) -> Result<Self, ServeError> {
        let Config { indexes, model, journals, keys, threads, limits, log } = config;
        let mut opened = BTreeMap::new();
        let settings = Settings { threads, ..Settings::default() };
        let mut encoders: BTreeMap<PathBuf, Arc<dyn Encoder>> = BTreeMap::new();
        for (name, path) in indexes {
            check_name(&name)?;
            let blind = Collection::options().without_encoder().open(&path)?;
            let place = model.clone().or_else(|| blind.stats().model);
            // indexes of one model share it
            let options = Collection::options().model_settings(settings.clone());
            let options = match place.as_ref().map(|place| (place, encoders.get(place))) {
                Some((_, Some(encoder))) => options.encoder(Arc::clone(encoder)),
                Some((place, None)) => options.model(place),
                None => options,
            };
            let collection = options.open(&path)?;
            if collection.has_earlier_fingerprint() {
                log(&format!("index `{name}` updates its model fingerprint with the next change"));
            }
            encoders.extend(place.zip(collection.encoder().cloned()));
            let journal = journals.as_ref().map(|journals| journals.join(&name));
            let jobs = Jobs::open(&collection, journal.as_deref(), Arc::clone(&log))?;
            let index = Index { collection, jobs };
            if opened.insert(name.clone(), Arc::new(index)).is_some() {
                return Err(ServeError::SameName { name });
            }
        }
        let workers = WorkerPool::new(threads, limits.waiting, limits.request)?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let state = State {
            indexes: opened,
            workers,
            metrics: Metrics::default(),
            keys,
            limits,
            memory: Shares::new(limits.memory),
            connections: Shares::new(limits.connections),
            log,
            stopping: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            started: since.map_or(0, |since| since.as_secs()),
        };
        Ok(Self { state: Arc::new(state) })
    }

    /// Whether there are keys; without keys, only loopback is allowed.
    pub(crate) fn has_keys(&self) -> bool {
        self.state.keys.is_some()
    }

    /// The names of indexes without documents.
    pub fn empty_indexes(&self) -> Vec<&str> {
        let indexes = self.state.indexes.iter();
        let empty = indexes.filter(|(_, it)| it.collection.stats().views.documents == 0);
        empty.map(|(name, _)| name.as_str()).collect()
    }

    /// Applies the accepted changes; returns how many wait for the next start.
    pub(crate) fn finish(&self) -> usize {
        self.state.indexes.values().map(|index| index.jobs.finish()).sum()
    }
}

impl State {
    /// An index by its name.
    pub(crate) fn index(&self, name: &str) -> Result<&Arc<Index>, Refusal> {
        self.indexes.get(name).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            Refusal::absent("no_such_index", format!("there is no index `{shown}`"))
        })
    }

    /// A new request id, for a request without one.
    pub(crate) fn next_request(&self) -> String {
        format!("{:x}-{}", self.started, self.requests.fetch_add(1, Ordering::Relaxed))
    }
}

fn check_name(name: &str) -> Result<(), ServeError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    match !name.is_empty() && name.len() <= 80 && name.bytes().all(plain) && !name.starts_with('.')
    {
        true => Ok(()),
        false => Err(ServeError::Name { name: name.to_owned() }),
    }
}
