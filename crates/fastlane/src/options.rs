//! Options to create or open a collection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane_engine::{Encoder, Store};
use fastlane_model::{Model, Settings};

use crate::backend::local::{Local, New};
use crate::backend::memory::Memory;
use crate::collection::Collection;
use crate::error::CollectionError;

/// Queries in the cache: with 32 tokens of 128 values each, 8 MiB.
const KEPT: usize = 512;

/// Options to create or open a collection: see [`Collection::options`].
#[derive(Clone)]
#[must_use = "options do nothing before `open`, `create` or `in_memory`"]
pub struct CollectionOptions {
    encoder: EncoderChoice,
    settings: Settings,
    store: Option<Store>,
    cached_queries: usize,
}

/// Where views come from.
#[derive(Clone)]
enum EncoderChoice {
    /// The model that the collection stores.
    Remembered,
    /// A model at another path.
    At(PathBuf),
    /// An open encoder.
    Open(Arc<dyn Encoder>),
    /// None: the collection takes no text.
    Without,
}

impl Collection {
    /// Begins to say how a collection is made or opened.
    pub fn options() -> CollectionOptions {
        CollectionOptions::default()
    }

    /// Opens a collection with the model that made it, from where that was.
    ///
    /// # Errors
    ///
    /// As [`CollectionOptions::open`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, CollectionError> {
        Self::options().open(directory)
    }
}

impl Default for CollectionOptions {
    fn default() -> Self {
        let (encoder, settings) = (EncoderChoice::Remembered, Settings::default());
        Self { encoder, settings, store: None, cached_queries: KEPT }
    }
}

impl std::fmt::Debug for CollectionOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let encoder = match &self.encoder {
            EncoderChoice::Remembered => "remembered".to_owned(),
            EncoderChoice::At(path) => path.display().to_string(),
            EncoderChoice::Open(encoder) => encoder.fingerprint(),
            EncoderChoice::Without => "none".to_owned(),
        };
        f.debug_struct("CollectionOptions")
            .field("encoder", &encoder)
            .field("settings", &self.settings)
            .field("store", &self.store)
            .field("cached_queries", &self.cached_queries)
            .finish()
    }
}

impl CollectionOptions {
    /// Encodes with this: a [`Model`], an encoder of your own, or a shared `Arc` of one.
    pub fn encoder(self, encoder: impl Encoder + 'static) -> Self {
        Self { encoder: EncoderChoice::Open(Arc::new(encoder)), ..self }
    }

    /// Opens the model in this directory; default: the one that the collection stores.
    pub fn model(self, directory: impl AsRef<Path>) -> Self {
        Self { encoder: EncoderChoice::At(directory.as_ref().to_owned()), ..self }
    }

    /// Settings of a model that is opened here.
    pub fn model_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Opens without an encoder: searches take views and no text, writers delete and compact.
    pub fn without_encoder(self) -> Self {
        Self { encoder: EncoderChoice::Without, ..self }
    }

    /// How view values are stored. An existing collection must have the same store.
    pub fn store(self, store: Store) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Caches the views of this many queries; 0 disables the cache; default: 512.
    pub fn cached_queries(self, cached_queries: usize) -> Self {
        Self { cached_queries, ..self }
    }

    /// Opens a collection.
    ///
    /// # Errors
    ///
    /// There is no collection, it is damaged, its model cannot be opened, its views are of another
    /// encoder, or its store differs from [`store`](Self::store).
    pub fn open(self, directory: impl AsRef<Path>) -> Result<Collection, CollectionError> {
        let directory = directory.as_ref();
        let local = Local::open(directory)?;
        let header = crate::backend::Backend::snapshot(&local).header().clone();
        if let Some(wanted) = self.store.filter(|&wanted| wanted != header.store) {
            let (path, found) = (directory.to_owned(), header.store);
            return Err(CollectionError::Store { path, found, wanted });
        }
        let encoder = self.encoder_of(directory, header.location.as_deref())?;
        Collection::of(Arc::new(local), directory, encoder, self.cached_queries)
    }

    /// Creates an empty collection in a directory that is empty or absent. It needs an encoder.
    ///
    /// # Errors
    ///
    /// The directory is not empty, there is no encoder, or a file cannot be written.
    pub fn create(self, directory: impl AsRef<Path>) -> Result<Collection, CollectionError> {
        let directory = directory.as_ref();
        let encoder = self.required_encoder(directory)?;
        let new = New {
            dims: encoder.dims(),
            store: self.store.unwrap_or_default(),
            fingerprint: encoder.fingerprint(),
            location: encoder.location().map(Path::to_owned),
        };
        let local = Local::create(directory, new)?;
        Collection::of(Arc::new(local), directory, Some(encoder), self.cached_queries)
    }

    /// Creates an empty collection in memory, which ends with the program. It needs an encoder.
    ///
    /// Searches compare with every document, and take time accordingly: it is for tests and for a few
    /// thousand documents.
    ///
    /// Of a writer's settings, the [reduction](crate::Reduction) alone applies: nothing is sorted into
    /// lists, and nothing is written.
    ///
    /// # Errors
    ///
    /// There is no encoder, or a [`store`](Self::store) is set: views in memory are not compressed.
    pub fn in_memory(self) -> Result<Collection, CollectionError> {
        let place = Path::new("memory");
        if let Some(found) = self.store {
            return Err(CollectionError::NoStore { found });
        }
        let encoder = self.required_encoder(place)?;
        let location = encoder.location().map(Path::to_owned);
        let memory = Memory::new(encoder.dims(), encoder.fingerprint(), location);
        Collection::of(Arc::new(memory), place, Some(encoder), self.cached_queries)
    }

    fn required_encoder(&self, path: &Path) -> Result<Arc<dyn Encoder>, CollectionError> {
        let encoder = match self.encoder {
            EncoderChoice::Remembered => None,
            _ => self.encoder_of(path, None)?,
        };
        encoder.ok_or_else(|| CollectionError::NoEncoder { path: path.to_owned() })
    }

    fn encoder_of(
        &self,
        path: &Path,
        remembered: Option<&Path>,
    ) -> Result<Option<Arc<dyn Encoder>>, CollectionError> {
        let at = match &self.encoder {
            EncoderChoice::Open(encoder) => return Ok(Some(Arc::clone(encoder))),
            EncoderChoice::Without => return Ok(None),
            EncoderChoice::At(at) => at.as_path(),
            EncoderChoice::Remembered => {
                remembered.ok_or_else(|| CollectionError::OwnEncoder { path: path.to_owned() })?
            }
        };
        let model = Model::open(at, &self.settings).map_err(|source| CollectionError::Model {
            path: path.to_owned(),
            model: at.to_owned(),
            source: source.into(),
        })?;
        Ok(Some(Arc::new(model)))
    }
}
