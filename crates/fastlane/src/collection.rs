//! A collection, open for searches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane_corpus::{Document, Filter};
use fastlane_engine::{
    DocumentViews, EncodeError, Encoder, FingerprintMatch, Statistics, Store, ViewDims,
};

use crate::backend::{self, Backend, Snapshot, Stamp};
use crate::cache::QueryCache;
use crate::error::CollectionError;
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
    /// The encoder's fingerprint as an earlier version left it in the index.
    earlier: Option<String>,
}

/// What a collection consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Its views.
    pub views: Statistics,
    /// Where its encoder was when it was made, if it was anywhere.
    pub model: Option<PathBuf>,
    /// The encoder's fingerprint, as the index keeps it.
    pub fingerprint: String,
    /// The lengths of views.
    pub dims: ViewDims,
    /// How the values of views are kept.
    pub store: Store,
    /// Documents with words.
    pub documents: u64,
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
        let inner = Inner { backend, encoder, cache, path: path.to_owned(), earlier };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the index keeps the fingerprint of its encoder as versions before 0.1.0 wrote it.
    ///
    /// The next commit of a collection that was opened with its encoder writes it as it is now, even
    /// if nothing else changes.
    pub fn has_earlier_fingerprint(&self) -> bool {
        self.inner.earlier.as_ref() == Some(&self.snapshot().header().fingerprint)
    }

    /// Where the index of views of a collection in a directory lies.
    pub fn views(directory: impl AsRef<Path>) -> PathBuf {
        backend::local::views(directory.as_ref())
    }

    /// Where it lies; `memory` for one in memory.
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

    /// What a commit writes about the encoder.
    pub(crate) fn stamp(&self) -> Stamp {
        let Some(encoder) = self.encoder() else { return Stamp::default() };
        let location = encoder.location().map(Path::to_owned);
        let fingerprint = self.has_earlier_fingerprint().then(|| encoder.fingerprint());
        Stamp { location, fingerprint }
    }

    /// Moves to the last commit, of whatever process; searches that run go on where they are.
    ///
    /// # Errors
    ///
    /// What was committed is damaged; then the collection stays where it is.
    pub fn refresh(&self) -> Result<bool, CollectionError> {
        self.inner.backend.refresh()
    }

    /// The number of the commit that is open.
    pub fn generation(&self) -> u64 {
        self.snapshot().header().generation
    }

    /// What writers left under a name: see [`CollectionWriter::tag`](crate::CollectionWriter::tag).
    pub fn tag(&self, name: &str) -> Option<String> {
        self.snapshot().header().tags.get(name).cloned()
    }

    /// Gives back a document as it was added.
    ///
    /// # Errors
    ///
    /// The index of words is damaged.
    pub fn document(&self, id: &str) -> Result<Option<Document>, CollectionError> {
        Ok(self.snapshot().fetch(&[id], &Stop::default())?.pop().flatten())
    }

    /// Counts the documents that pass a filter.
    ///
    /// # Errors
    ///
    /// The index of words is damaged.
    pub fn count(&self, filter: &Filter) -> Result<usize, CollectionError> {
        self.snapshot().count(filter, &Stop::default())
    }

    /// The ids of all documents.
    pub fn ids(&self) -> Vec<String> {
        self.snapshot().ids()
    }

    /// Counts what there is.
    pub fn stats(&self) -> Stats {
        let snapshot = self.snapshot();
        let header = snapshot.header().clone();
        Stats {
            views: header.views,
            model: header.location,
            fingerprint: header.fingerprint,
            dims: header.dims,
            store: header.store,
            documents: header.documents,
        }
    }

    /// How many queries were encoded before, and how many were not: see
    /// [`CollectionOptions::cached_queries`](crate::CollectionOptions::cached_queries).
    pub fn cached_queries(&self) -> [u64; 2] {
        self.inner.cache.counts()
    }

    /// Encodes documents that are not kept here, for those who want their views alone. Errors number
    /// them from `first`.
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
