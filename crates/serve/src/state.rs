//! A service: indexes, a desk, counters.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fastlane::{Collection, Model, Settings};

use crate::cache::QueryCache;
use crate::config::{Config, Limits};
use crate::desk::Desk;
use crate::error::{Refusal, ServeError};
use crate::jobs::Jobs;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::shares::Shares;

/// Indexes that are open, and whoever answers from them.
pub struct Service {
    pub(crate) state: Arc<State>,
}

pub(crate) struct State {
    pub(crate) indexes: BTreeMap<String, Arc<Index>>,
    pub(crate) desk: Desk,
    pub(crate) metrics: Metrics,
    pub(crate) keys: Option<Keys>,
    pub(crate) limits: Limits,
    /// Bytes of bodies and answers that are in memory.
    pub(crate) memory: Arc<Shares>,
    pub(crate) connections: Arc<Shares>,
    pub(crate) log: Arc<dyn Fn(&str) + Send + Sync>,
    pub(crate) stopping: AtomicBool,
    requests: AtomicU64,
    /// Tells requests of this service from those of another.
    pub(crate) started: u64,
}

/// An index, the queries it was asked lately, and its changes.
pub(crate) struct Index {
    pub(crate) collection: Arc<Collection>,
    pub(crate) queries: QueryCache,
    pub(crate) jobs: Jobs,
}

impl Service {
    /// Opens all indexes, and goes on with changes that were accepted before.
    ///
    /// # Errors
    ///
    /// An index cannot be opened, or its name cannot be an address.
    pub fn open(config: Config) -> Result<Self, ServeError> {
        let Config { indexes, model, keys, threads, limits, log } = config;
        let mut opened = BTreeMap::new();
        let settings = Settings { threads, ..Settings::default() };
        let mut models: BTreeMap<PathBuf, Arc<Model>> = BTreeMap::new();
        for (name, path) in indexes {
            check_name(&name)?;
            let blind = Collection::open_without_model(&path)?;
            let place = model.clone().unwrap_or_else(|| blind.figures().model);
            // indexes of one model share it
            let known = models.get(&place).cloned();
            let collection = Arc::new(match known {
                Some(model) => Collection::open_with(&path, model)?,
                None => Collection::open_from(&path, model.as_deref(), &settings)?,
            });
            if collection.has_earlier_fingerprint() {
                log(&format!("index `{name}` renews its model's fingerprint with its next change"));
            }
            models.extend(collection.model().map(|model| (place, Arc::clone(model))));
            let jobs = Jobs::open(&collection, Arc::clone(&log))?;
            let index = Index { collection, queries: QueryCache::new(), jobs };
            if opened.insert(name.clone(), Arc::new(index)).is_some() {
                return Err(ServeError::SameName { name });
            }
        }
        let desk = Desk::new(threads, limits.waiting, limits.request)?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let state = State {
            indexes: opened,
            desk,
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

    /// Whether there are keys, without which nothing but loopback may be listened on.
    pub(crate) fn has_keys(&self) -> bool {
        self.state.keys.is_some()
    }

    /// The names of indexes without documents, whose searches find nothing.
    pub fn empty_indexes(&self) -> Vec<&str> {
        let indexes = self.state.indexes.iter();
        let empty = indexes.filter(|(_, it)| it.collection.figures().views.documents == 0);
        empty.map(|(name, _)| name.as_str()).collect()
    }

    /// Makes the changes that were accepted; tells how many wait for the next start.
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

    /// The id of a request that brings none.
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
