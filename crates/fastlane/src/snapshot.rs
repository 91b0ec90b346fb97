//! One generation of a collection: its views and its words, as one commit made them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fastlane_corpus::{Filter, LexicalOpenError, LexicalReader, LexicalSearchError, Passing};
use fastlane_engine::{DocumentSet, OpenIndexError, Reader};

use crate::about::About;
use crate::error::CollectionError;
use crate::kind::{Kind, kind};
use crate::stop::Stop;

/// Where the index of views lies in a collection.
pub(crate) const VIEWS: &str = "views";
/// Filters whose documents are remembered.
const FILTERS: usize = 16;

/// One generation, open for search.
pub(crate) struct Snapshot {
    directory: PathBuf,
    pub(crate) reader: Reader,
    words: LexicalReader,
    pub(crate) about: About,
    filters: Mutex<Vec<(Filter, Arc<Allowed>)>>,
}

/// The documents that pass a filter, for the index of views and for that of words.
pub(crate) struct Allowed {
    pub(crate) views: DocumentSet,
    pub(crate) words: Passing,
}

impl Snapshot {
    /// Opens the generation that holds.
    pub(crate) fn open(directory: &Path) -> Result<Self, CollectionError> {
        Self::follow(directory, || Reader::open(&directory.join(VIEWS)).map(Some))
            .map(|snapshot| snapshot.expect("a reader was opened"))
    }

    /// Opens the generation that holds, unless it is this one.
    pub(crate) fn newer(&self, directory: &Path) -> Result<Option<Self>, CollectionError> {
        Self::follow(directory, || self.reader.newer())
    }

    /// Opens views, then their words; once more if a commit took the words away in between.
    fn follow(
        directory: &Path,
        open: impl Fn() -> Result<Option<Reader>, OpenIndexError>,
    ) -> Result<Option<Self>, CollectionError> {
        if !directory.join(VIEWS).is_dir() {
            return Err(without_views(directory));
        }
        let mut tries = 0;
        loop {
            let Some(reader) = open()? else { return Ok(None) };
            let about = About::of(&reader, directory)?;
            match open_words(directory, &about) {
                Ok(words) => {
                    let (directory, filters) = (directory.to_owned(), Mutex::default());
                    return Ok(Some(Self { directory, reader, words, about, filters }));
                }
                Err(error) => {
                    tries += 1;
                    let moved =
                        Reader::open(&directory.join(VIEWS))?.generation() != reader.generation();
                    if !moved || tries > 20 {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Where the words lie.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(&self.about.words)
    }

    /// Counts the documents with words.
    pub(crate) fn documents(&self) -> u64 {
        self.words.len()
    }

    /// Asks the index of words.
    ///
    /// tantivy trusts its files, and may panic on damaged ones: that becomes an error.
    pub(crate) fn words<T>(
        &self,
        ask: impl FnOnce(&LexicalReader) -> Result<T, LexicalSearchError>,
    ) -> Result<T, CollectionError> {
        let asked = catch_unwind(AssertUnwindSafe(|| ask(&self.words)));
        Ok(asked.map_err(|panic| damaged(self.path(), &*panic))??)
    }

    /// The documents that pass a filter; those of the latest filters are remembered.
    pub(crate) fn allowed(
        &self,
        filter: &Filter,
        stop: &Stop,
    ) -> Result<Arc<Allowed>, CollectionError> {
        let known = |filters: &Vec<(Filter, Arc<Allowed>)>| {
            filters.iter().find(|(other, _)| other == filter).map(|(_, set)| Arc::clone(set))
        };
        if let Some(set) = known(&self.filters.lock().expect("no thread panics while it holds it"))
        {
            return Ok(set);
        }
        let words = self.words(|words| words.passing(filter, &|| !stop.is_due()))?;
        let ids = self.words(|index| index.ids_of(&words))?;
        let views = self.reader.select(ids.iter().map(String::as_str));
        let set = Arc::new(Allowed { views, words });
        let mut filters = self.filters.lock().expect("no thread panics while it holds it");
        filters.insert(0, (filter.clone(), Arc::clone(&set)));
        filters.truncate(FILTERS);
        Ok(set)
    }
}

/// Opens the words that a commit names, after a look at the sizes of their files.
fn open_words(directory: &Path, about: &About) -> Result<LexicalReader, CollectionError> {
    let path = directory.join(&about.words);
    for file in about.files.iter().flatten() {
        let at = || path.join(&file.name);
        match file.check_size(&path) {
            Err(source) => return Err(CollectionError::Read { path: at(), source }),
            Ok(Some(what)) => {
                return Err(CollectionError::Damaged { path: at(), what: what.to_string() });
            }
            Ok(None) => {}
        }
    }
    let opened = catch_unwind(AssertUnwindSafe(|| LexicalReader::open(&path)));
    match opened.map_err(|panic| damaged(path.clone(), &*panic))? {
        Err(LexicalOpenError::Missing { .. }) => {
            Err(CollectionError::Damaged { path, what: "meta.json is missing".to_owned() })
        }
        Err(LexicalOpenError::Damaged { path, source }) => {
            Err(CollectionError::Damaged { path, what: source.to_string() })
        }
        opened => Ok(opened?),
    }
}

/// What is wrong with a collection that has no directory of views.
fn without_views(directory: &Path) -> CollectionError {
    match kind(directory) {
        Ok(Kind::Collection) => CollectionError::Damaged {
            path: directory.join(VIEWS),
            what: "the directory is missing".to_owned(),
        },
        _ => CollectionError::Absent { path: directory.to_owned() },
    }
}

/// The error for a panic in the index of words.
fn damaged(path: PathBuf, panic: &(dyn Any + Send)) -> CollectionError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
    CollectionError::Damaged { path, what: format!("the index of words cannot be read: {text}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fastlane_corpus::Document;
    use fastlane_model::{Model, Settings};

    use super::*;
    use crate::{Collection, Fusion, Search};

    #[test]
    fn defect_s1_words_and_views_share_the_documents_of_a_filter() {
        let folder = tempfile::tempdir().unwrap();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
        let model = Model::open(&model, &Settings::default()).unwrap();
        let collection = Collection::create(&folder.path().join("notes"), model.into()).unwrap();
        let text = "light house".to_owned();
        let document = |id: &str| {
            let (id, text) = (id.to_owned(), text.clone());
            let metadata = BTreeMap::from([("year".to_owned(), 7)]);
            let metadata = serde_json::from_value(serde_json::json!(metadata)).unwrap();
            Document { id, text, metadata, ..Document::default() }
        };
        let mut writer = collection.writer().unwrap();
        writer.add(["a", "b", "c"].map(document), &mut |_| true).unwrap();
        writer.commit().unwrap();
        let filter: Filter = "year = 7".parse().unwrap();
        let none = "year = 8".parse().unwrap();
        let fusion = Some(Fusion::Ranks);
        let search = Search { filter: Some(filter.clone()), fusion, ..Search::default() };
        let count = || collection.search("light", &search).unwrap().hits.len();
        assert_eq!(count(), 3);
        // the filter is found to pass nothing: who evaluates it again finds three documents
        let snapshot = collection.snapshot();
        let nothing = snapshot.allowed(&none, &Stop::default()).unwrap();
        snapshot.filters.lock().unwrap().insert(0, (filter, nothing));
        assert_eq!(count(), 0);
    }
}
