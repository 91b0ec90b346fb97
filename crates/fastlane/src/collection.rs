//! A collection on disk, with the model that its views are of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use fastlane_corpus::{Document, Filter};
use fastlane_engine::{IndexSettings, Statistics, Store, Writer, WriterSettings};
use fastlane_model::{FingerprintMatch, Model, Settings};

use crate::error::CollectionError;
use crate::kind::{Kind, kind};
use crate::snapshot::{Snapshot, VIEWS};
use crate::stop::Stop;
use crate::words::Compared;
use crate::writer::CollectionWriter;

/// Documents that can be searched; any number of threads at once, while one writes.
pub struct Collection {
    pub(crate) directory: PathBuf,
    pub(crate) model: Option<Arc<Model>>,
    /// The model's fingerprint as an earlier version left it in the index.
    pub(crate) earlier: Option<String>,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Files that writers of this collection have looked through.
    pub(crate) compared: Compared,
}

/// What a collection consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Its views.
    pub views: Statistics,
    /// Where its model was when it was made.
    pub model: PathBuf,
    /// What tells the model from others, as the index keeps it.
    pub fingerprint: String,
    /// How long the searched views are, and the token views beside them, where these are others.
    pub dims: (usize, Option<usize>),
    /// How the values of views are kept.
    pub store: Store,
    /// Documents with words.
    pub documents: u64,
}

impl Collection {
    /// Makes an empty collection in a directory that is empty or not there.
    ///
    /// # Errors
    ///
    /// There is a collection already, or something else, or the system refuses.
    pub fn create(directory: &Path, model: Arc<Model>) -> Result<Self, CollectionError> {
        Self::create_with(directory, model, Store::default())
    }

    /// The same, with a choice of how the values of views are kept.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_with(
        directory: &Path,
        model: Arc<Model>,
        store: Store,
    ) -> Result<Self, CollectionError> {
        let exists = || CollectionError::Exists { path: directory.to_owned() };
        let read = |source| CollectionError::Read { path: directory.to_owned(), source };
        match kind(directory).map_err(read)? {
            Kind::Absent | Kind::Empty => {}
            Kind::Collection => return Err(exists()),
            Kind::Views => {
                let path = directory.to_owned();
                return Err(CollectionError::Views { path });
            }
            Kind::Foreign { name } => {
                return Err(CollectionError::Foreign { path: directory.to_owned(), name });
            }
        }
        let (dim, token_dim) = model.dims();
        let name = model.fingerprint().to_string();
        let index = IndexSettings { dim, token_dim, lanes_only: false, model: name, store };
        let views = Writer::open(&directory.join(VIEWS), &index, WriterSettings::default())?;
        // another process may have made it since
        if views.generation() > 0 {
            return Err(exists());
        }
        CollectionWriter::first(directory, &model, views)?;
        let snapshot = RwLock::new(Arc::new(Snapshot::open(directory)?));
        let (directory, compared) = (directory.to_owned(), Compared::default());
        Ok(Self { directory, model: Some(model), earlier: None, snapshot, compared })
    }

    /// Opens a collection with the model that made it, from where that was.
    ///
    /// # Errors
    ///
    /// There is no collection, it is damaged, or the model is not there any more.
    pub fn open(directory: &Path) -> Result<Self, CollectionError> {
        Self::open_from(directory, None, &Settings::default())
    }

    /// The same, with a choice of how the model works, and of where it is now if it moved.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when the views are of another model.
    pub fn open_from(
        directory: &Path,
        model: Option<&Path>,
        settings: &Settings,
    ) -> Result<Self, CollectionError> {
        let snapshot = Snapshot::open(directory)?;
        let model = model.map_or_else(|| snapshot.about.model.clone(), Path::to_owned);
        let opened = Model::open(&model, settings);
        let path = directory.to_owned();
        let opened = opened.map_err(|source| CollectionError::Model {
            path,
            model,
            source: source.into(),
        })?;
        Self::with(directory, Some(opened.into()), snapshot)
    }

    /// Opens a collection with a model that is open.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when the views are of another model.
    pub fn open_with(directory: &Path, model: Arc<Model>) -> Result<Self, CollectionError> {
        Self::with(directory, Some(model), Snapshot::open(directory)?)
    }

    /// Opens a collection without a model: it finds by vectors and by words, and takes no text.
    ///
    /// # Errors
    ///
    /// There is no collection, or it is damaged.
    pub fn open_without_model(directory: &Path) -> Result<Self, CollectionError> {
        Self::with(directory, None, Snapshot::open(directory)?)
    }

    fn with(
        directory: &Path,
        model: Option<Arc<Model>>,
        snapshot: Snapshot,
    ) -> Result<Self, CollectionError> {
        let directory = directory.to_owned();
        let mut earlier = None;
        if let Some(model) = &model {
            let found = snapshot.reader.settings().model.clone();
            match model.compare(&found)? {
                FingerprintMatch::Same => {}
                FingerprintMatch::Earlier => earlier = Some(found),
                FingerprintMatch::Other => {
                    let wanted = model.fingerprint().to_string();
                    let (path, model) = (directory, model.directory().to_owned());
                    return Err(CollectionError::OtherModel { path, model, found, wanted });
                }
            }
        }
        let (snapshot, compared) = (RwLock::new(Arc::new(snapshot)), Compared::default());
        Ok(Self { directory, model, earlier, snapshot, compared })
    }

    /// Tells whether the index keeps the fingerprint of its model as versions before 0.1.0 wrote it.
    ///
    /// The model was compared with it. The next commit of a collection that was opened with its
    /// model writes the fingerprint as it is now, even if nothing else changes.
    pub fn has_earlier_fingerprint(&self) -> bool {
        self.earlier.as_ref() == Some(&self.snapshot().reader.settings().model)
    }

    /// Where the index of views of a collection lies.
    pub fn views(directory: &Path) -> PathBuf {
        directory.join(VIEWS)
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The model of its views, if it was opened with one.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().expect("no thread panics while it holds it"))
    }

    /// Moves to the last commit, of whatever process; searches that run go on where they are.
    ///
    /// # Errors
    ///
    /// What was committed is damaged; then the collection stays where it is.
    pub fn refresh(&self) -> Result<bool, CollectionError> {
        let newer = self.snapshot().newer(&self.directory)?;
        let moved = newer.is_some();
        if let Some(newer) = newer {
            *self.snapshot.write().expect("no thread panics while it holds it") = Arc::new(newer);
        }
        Ok(moved)
    }

    /// The number of the commit that is open.
    pub fn generation(&self) -> u64 {
        self.snapshot().reader.generation()
    }

    /// What writers left under a name: see [`CollectionWriter::tag`].
    pub fn tag(&self, name: &str) -> Option<String> {
        self.snapshot().about.tags.get(name).cloned()
    }

    /// Gives back a document as it was added.
    ///
    /// # Errors
    ///
    /// The index of words is damaged.
    pub fn document(&self, id: &str) -> Result<Option<Document>, CollectionError> {
        self.snapshot().words(|words| words.get(id))
    }

    /// Counts the documents that pass a filter.
    ///
    /// # Errors
    ///
    /// The index of words is damaged.
    pub fn passing(&self, filter: &Filter) -> Result<usize, CollectionError> {
        Ok(self.snapshot().allowed(filter, &Stop::default())?.views.len())
    }

    /// The ids of all documents.
    pub fn ids(&self) -> Vec<String> {
        self.snapshot().reader.ids().map(str::to_owned).collect()
    }

    /// Counts what there is.
    pub fn figures(&self) -> Figures {
        let snapshot = self.snapshot();
        let settings = snapshot.reader.settings();
        Figures {
            views: snapshot.reader.statistics(),
            model: snapshot.about.model.clone(),
            fingerprint: settings.model.clone(),
            dims: (settings.dim, settings.token_dim),
            store: settings.store,
            documents: snapshot.documents(),
        }
    }

    /// Begins to change the collection; one writer at a time, in whatever process.
    ///
    /// # Errors
    ///
    /// Another writer is at work, or what is there is damaged.
    pub fn writer(&self) -> Result<CollectionWriter<'_>, CollectionError> {
        self.writer_with(WriterSettings::default())
    }

    /// The same, with a say in threads, memory, and which views are left out.
    ///
    /// # Errors
    ///
    /// As [`writer`](Self::writer).
    pub fn writer_with(
        &self,
        settings: WriterSettings,
    ) -> Result<CollectionWriter<'_>, CollectionError> {
        let views = Writer::open_existing(&self.directory.join(VIEWS), settings)?;
        // another process may have committed before the lock was ours
        self.refresh()?;
        Ok(CollectionWriter::new(self, views))
    }
}
