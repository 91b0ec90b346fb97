//! A collection, open for searches.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fastlane_corpus::{Document, Filter};
use fastlane_engine::{
    DocumentViews, EncodeError, Encoder, FingerprintMatch, Statistics, Store, ViewDims,
};

use crate::backend::{self, Backend, Snapshot, Stamp};
use crate::cache::QueryCache;
use crate::error::CollectionError;
use crate::read;
use crate::record::is_first;
use crate::stop::Stop;

/// Documents that can be searched, by any number of threads at once, while one writer changes them.
///
/// A clone is another handle to the same collection.
#[derive(Clone)]
pub struct Collection {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) encoder: Option<Arc<dyn Encoder>>,
    pub(crate) cache: QueryCache,
    path: PathBuf,
    /// The fingerprint of the encoder, as an earlier version stored it in the index.
    earlier: Option<String>,
    /// A generation, and how many documents it has.
    documents: Mutex<Option<(u64, u64)>>,
}

/// The statistics of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Its views.
    pub views: Statistics,
    /// The path of its encoder when the collection was created, if there was one.
    pub model: Option<PathBuf>,
    /// The fingerprint of the encoder, as stored in the index.
    pub fingerprint: String,
    /// The dimensions of views.
    pub dims: ViewDims,
    /// How view values are stored.
    pub store: Store,
    /// Number of documents.
    pub documents: u64,
    /// Number of passages that they have together.
    pub passages: u64,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection")
            .field("path", &self.inner.path)
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

impl Collection {
    pub(crate) fn of(
        backend: Arc<dyn Backend>,
        path: &Path,
        encoder: Option<Arc<dyn Encoder>>,
        cached_queries: usize,
    ) -> Result<Self, CollectionError> {
        let mut earlier = None;
        if let Some(encoder) = &encoder {
            let found = backend.snapshot().header().fingerprint.clone();
            match encoder.compare(&found).map_err(CollectionError::Compare)? {
                FingerprintMatch::Same => {}
                FingerprintMatch::Earlier => earlier = Some(found),
                FingerprintMatch::Other => {
                    let model = encoder.location().map(Path::to_owned);
                    let (path, wanted) = (path.to_owned(), encoder.fingerprint());
                    return Err(CollectionError::OtherModel { path, model, found, wanted });
                }
            }
        }
        let cache = QueryCache::new(cached_queries);
        let (path, documents) = (path.to_owned(), Mutex::default());
        let inner = Inner { backend, encoder, cache, path, earlier, documents };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the index has the fingerprint of its encoder in the form of versions before 0.1.0.
    ///
    /// If the collection was opened with its encoder, the next commit writes the current form, even
    /// without other changes.
    pub fn has_earlier_fingerprint(&self) -> bool {
        self.inner.earlier.as_ref() == Some(&self.snapshot().header().fingerprint)
    }

    /// The directory of the index of views, for a collection in a directory.
    pub fn views(directory: impl AsRef<Path>) -> PathBuf {
        backend::local::views(directory.as_ref())
    }

    /// The path of the collection; `memory` for one in memory.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The encoder of its views, if it was opened with one.
    pub fn encoder(&self) -> Option<&Arc<dyn Encoder>> {
        self.inner.encoder.as_ref()
    }

    pub(crate) fn required_encoder(&self) -> Result<&Arc<dyn Encoder>, CollectionError> {
        self.encoder().ok_or_else(|| CollectionError::NoEncoder { path: self.inner.path.clone() })
    }

    pub(crate) fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.inner.backend.snapshot()
    }

    /// The encoder metadata for a commit.
    pub(crate) fn stamp(&self) -> Stamp {
        let Some(encoder) = self.encoder() else { return Stamp::default() };
        let location = encoder.location().map(Path::to_owned);
        let fingerprint = self.has_earlier_fingerprint().then(|| encoder.fingerprint());
        Stamp { location, fingerprint }
    }

    /// Moves to the last commit of any process; running searches keep their generation.
    ///
    /// # Errors
    ///
    /// The commit is damaged; the collection then keeps its generation.
    pub fn refresh(&self) -> Result<bool, CollectionError> {
        self.inner.backend.refresh()
    }

    /// The number of the commit that is open.
    pub fn generation(&self) -> u64 {
        self.snapshot().header().generation
    }

    /// Returns the value of a tag: see [`CollectionWriter::tag`](crate::CollectionWriter::tag).
    pub fn tag(&self, name: &str) -> Option<String> {
        self.snapshot().header().tags.get(name).cloned()
    }

    /// Returns a whole document as it was added, without its outline.
    ///
    /// # Errors
    ///
    /// The lexical index is damaged.
    pub fn document(&self, id: &str) -> Result<Option<Document>, CollectionError> {
        read::document(&*self.snapshot(), id, &Stop::default())
    }

    /// Returns a part of a document: a passage by its number from 1, and this many passages before
    /// and after it.
    ///
    /// # Errors
    ///
    /// The lexical index is damaged.
    pub fn passage(
        &self,
        id: &str,
        number: usize,
        context: usize,
    ) -> Result<Option<Document>, CollectionError> {
        read::with_context(&*self.snapshot(), (id, number), context, &Stop::default())
    }

    /// Counts the documents that pass a filter.
    ///
    /// # Errors
    ///
    /// The lexical index is damaged.
    pub fn count(&self, filter: &Filter) -> Result<usize, CollectionError> {
        let passing = self.snapshot().passing(filter, &Stop::default())?;
        Ok(passing.iter().filter(|key| is_first(key)).count())
    }

    /// The ids of all documents.
    pub fn ids(&self) -> Vec<String> {
        let mut keys = self.snapshot().keys();
        keys.retain(|key| is_first(key));
        keys
    }

    /// Returns the statistics of the collection.
    pub fn stats(&self) -> Stats {
        let snapshot = self.snapshot();
        let header = snapshot.header().clone();
        Stats {
            views: header.views,
            model: header.location,
            fingerprint: header.fingerprint,
            dims: header.dims,
            store: header.store,
            documents: self.documents(&*snapshot),
            passages: header.records,
        }
    }

    /// Counts the documents of a generation, once.
    fn documents(&self, snapshot: &dyn Snapshot) -> u64 {
        let mut known = self.inner.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = snapshot.header().generation;
        match *known {
            Some((of, count)) if of == generation => count,
            _ => {
                let keys = snapshot.keys();
                let count = keys.iter().filter(|key| is_first(key)).count() as u64;
                *known = Some((generation, count));
                count
            }
        }
    }

    /// Cache hits and misses of encoded queries: see
    /// [`CollectionOptions::cached_queries`](crate::CollectionOptions::cached_queries).
    pub fn cached_queries(&self) -> [u64; 2] {
        self.inner.cache.counts()
    }

    /// Encodes documents without storing them, to get only their views. Errors number the documents
    /// from `first`.
    ///
    /// # Errors
    ///
    /// There is no encoder, or a text cannot be encoded.
    pub fn encode_documents(
        &self,
        texts: Vec<String>,
        first: usize,
    ) -> Result<Vec<DocumentViews>, CollectionError> {
        let encoder = self.required_encoder()?;
        let views = (first..).zip(encoder.encode_documents(Box::new(texts.into_iter())));
        let named = |(place, views): (usize, Result<DocumentViews, EncodeError>)| {
            views.map_err(|source| CollectionError::Encode { id: format!("#{place}"), source })
        };
        views.map(named).collect()
    }
}
