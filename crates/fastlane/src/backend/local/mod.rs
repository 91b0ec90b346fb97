//! A collection in a directory: an index of views, and a lexical index for each generation.
//!
//! ```text
//! views/                      the index of views; its commit is the collection's
//! words-000007-5f3a9c01/      the words, texts and metadata of generation 7
//! journal/                    changes that a service accepted and has not committed
//! ```
//!
//! The commit of the views names the lexical directory, so both change in one step.

mod batch;
mod check;
mod kind;
mod lexical;
mod metadata;
mod remove;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use fastlane_engine::{IndexSettings, Store, ViewDims, Writer, WriterSettings};

use self::batch::LocalBatch;
use self::lexical::Compared;
use self::snapshot::LocalSnapshot;
use super::{Backend, Batch, Snapshot};
use crate::error::CollectionError;

pub use self::kind::{Kind, kind};

/// The directory of the index of views in a collection.
const VIEWS: &str = "views";

/// A directory.
pub(crate) struct Local {
    directory: PathBuf,
    snapshot: RwLock<Arc<LocalSnapshot>>,
    /// Files with verified checksums.
    compared: Compared,
}

/// The settings of a new collection.
pub(crate) struct New {
    pub(crate) dims: ViewDims,
    pub(crate) store: Store,
    pub(crate) fingerprint: String,
    pub(crate) location: Option<PathBuf>,
}

/// The directory of the index of views of a collection.
pub(crate) fn views(directory: &Path) -> PathBuf {
    directory.join(VIEWS)
}

impl Local {
    /// Creates an empty collection in a directory that is empty or absent.
    pub(crate) fn create(directory: &Path, new: New) -> Result<Self, CollectionError> {
        let path = || directory.to_owned();
        let read = |source| CollectionError::Read { path: path(), source };
        match kind(directory).map_err(read)? {
            Kind::Absent | Kind::Empty => {}
            Kind::Collection => return Err(CollectionError::Exists { path: path() }),
            Kind::Views => return Err(CollectionError::Views { path: path() }),
            Kind::Foreign { name } => {
                return Err(CollectionError::Foreign { path: path(), name });
            }
        }
        let index = IndexSettings {
            dim: new.dims.searched,
            token_dim: new.dims.tokens,
            lanes_only: false,
            model: new.fingerprint,
            store: new.store,
        };
        let writer = Writer::open(&views(directory), &index, WriterSettings::default())?;
        // another process may have created it since
        if writer.generation() > 0 {
            return Err(CollectionError::Exists { path: path() });
        }
        batch::first(directory, new.location, writer)?;
        Self::open(directory)
    }

    pub(crate) fn open(directory: &Path) -> Result<Self, CollectionError> {
        let snapshot = RwLock::new(Arc::new(LocalSnapshot::open(directory)?));
        Ok(Self { directory: directory.to_owned(), snapshot, compared: Compared::default() })
    }

    fn current(&self) -> Arc<LocalSnapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Backend for Local {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.current()
    }

    fn refresh(&self) -> Result<bool, CollectionError> {
        let newer = self.current().newer(&self.directory)?;
        let moved = newer.is_some();
        if let Some(newer) = newer {
            *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newer);
        }
        Ok(moved)
    }

    fn batch(self: Arc<Self>, settings: WriterSettings) -> Result<Box<dyn Batch>, CollectionError> {
        let views = Writer::open_existing(&views(&self.directory), settings)?;
        // another process may have committed before the lock was acquired
        self.refresh()?;
        Ok(Box::new(LocalBatch::new(self, views)))
    }
}
