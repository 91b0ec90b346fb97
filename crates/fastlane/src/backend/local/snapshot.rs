//! One generation of a collection: its views and its lexical index, from one commit.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fastlane_corpus::{
    Filter, LexicalOpenError, LexicalReader, LexicalSearch, LexicalSearchError, Passing,
};
use fastlane_engine::{DocumentSet, Nominate, Reader, Request, Rerank, ViewDims};

use super::VIEWS;
use super::kind::{Kind, kind};
use super::metadata::CollectionMetadata;
use crate::backend::{ByViews, Candidate, Header, Nominated, Scored, SearchScope, Snapshot};
use crate::error::CollectionError;
use crate::record::Record;
use crate::stop::Stop;

/// Filters whose documents are cached.
const FILTERS: usize = 16;

/// One generation, open for search.
pub(crate) struct LocalSnapshot {
    directory: PathBuf,
    header: Header,
    pub(crate) reader: Reader,
    words: LexicalReader,
    pub(crate) metadata: CollectionMetadata,
    filters: Mutex<Vec<(Filter, Arc<Allowed>)>>,
}

/// The documents that pass a filter, for the index of views and for the lexical index.
pub(crate) struct Allowed {
    pub(crate) views: DocumentSet,
    pub(crate) words: Passing,
}

impl LocalSnapshot {
    /// Opens the current generation.
    pub(crate) fn open(directory: &Path) -> Result<Self, CollectionError> {
        check_views(directory)?;
        Self::of(Reader::open(&directory.join(VIEWS))?, directory)
    }

    /// Opens the current generation, unless it is this one.
    pub(crate) fn newer(&self, directory: &Path) -> Result<Option<Self>, CollectionError> {
        check_views(directory)?;
        self.reader.newer()?.map(|reader| Self::of(reader, directory)).transpose()
    }

    /// Opens the lexical index of the views; if a commit removed it in between, that of the next
    /// commit with its views.
    fn of(mut reader: Reader, directory: &Path) -> Result<Self, CollectionError> {
        let mut tries = 0;
        loop {
            let metadata = CollectionMetadata::of(&reader, directory)?;
            match open_words(directory, &metadata) {
                Ok(words) => {
                    let header = header(&reader, &words, &metadata);
                    let (directory, filters) = (directory.to_owned(), Mutex::default());
                    return Ok(Self { directory, header, reader, words, metadata, filters });
                }
                Err(error) => {
                    tries += 1;
                    let latest = Reader::open(&directory.join(VIEWS))?;
                    if latest.generation() == reader.generation() || tries > 20 {
                        return Err(error);
                    }
                    reader = latest;
                }
            }
        }
    }

    /// The directory of the lexical index.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(&self.metadata.words)
    }

    /// Queries the lexical index.
    ///
    /// tantivy trusts its files and may panic on damaged ones: a panic becomes an error.
    pub(crate) fn with_words<T>(
        &self,
        query: impl FnOnce(&LexicalReader) -> Result<T, LexicalSearchError>,
    ) -> Result<T, CollectionError> {
        let result = catch_unwind(AssertUnwindSafe(|| query(&self.words)));
        Ok(result.map_err(|panic| damaged(self.path(), &*panic))??)
    }

    /// The documents that pass a filter; those of the latest filters are cached.
    pub(crate) fn allowed(
        &self,
        filter: &Filter,
        stop: &Stop,
    ) -> Result<Arc<Allowed>, CollectionError> {
        let known = |filters: &Vec<(Filter, Arc<Allowed>)>| {
            filters.iter().find(|(other, _)| other == filter).map(|(_, set)| Arc::clone(set))
        };
        if let Some(set) = known(&self.filters.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(set);
        }
        let words = self.with_words(|words| words.passing(filter, &|| !stop.is_due()))?;
        let ids = self.with_words(|index| index.ids_of(&words))?;
        let views = self.reader.select(ids.iter().map(String::as_str));
        let set = Arc::new(Allowed { views, words });
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        filters.insert(0, (filter.clone(), Arc::clone(&set)));
        filters.truncate(FILTERS);
        Ok(set)
    }
}

/// The facts of a generation.
fn header(reader: &Reader, words: &LexicalReader, metadata: &CollectionMetadata) -> Header {
    let settings = reader.settings();
    Header {
        generation: reader.generation(),
        dims: ViewDims { searched: settings.dim, tokens: settings.token_dim },
        store: settings.store,
        fingerprint: settings.model.clone(),
        location: metadata.location(),
        tags: metadata.tags.clone(),
        views: reader.statistics(),
        records: words.len(),
    }
}

impl Snapshot for LocalSnapshot {
    fn header(&self) -> &Header {
        &self.header
    }

    fn nominate(&self, request: &ByViews<'_>, until: &Stop) -> Result<Nominated, CollectionError> {
        let documents = request.rerank;
        let rerank = Rerank { query: request.query, weights: None, documents };
        let rerank = (documents > 0).then_some(rerank);
        let (mut k, mut nominate) = (request.k, Nominate::Auto);
        let (allowed, chosen);
        let filter = match request.scope {
            SearchScope::All => None,
            SearchScope::Passing(filter) => {
                allowed = self.allowed(filter, until)?;
                Some(&allowed.views)
            }
            SearchScope::Ids(ids) => {
                chosen = self.reader.select(ids.iter().copied());
                if chosen.is_empty() {
                    return Ok(Nominated { best: Vec::new(), times: Default::default() });
                }
                k = chosen.len();
                nominate = if documents > 0 { Nominate::All } else { Nominate::Scan };
                Some(&chosen)
            }
        };
        let request = Request { lanes: request.lanes, k, nominate, rerank, filter };
        let (hits, times) = self.reader.search_while(&request, &|| !until.is_due())?;
        let candidate = |hit: fastlane_engine::Hit<'_>| Candidate {
            id: hit.id.to_owned(),
            score: hit.score,
            pairs: hit.pairs,
        };
        Ok(Nominated { best: hits.into_iter().map(candidate).collect(), times })
    }

    fn words(
        &self,
        text: &str,
        k: usize,
        filter: Option<&Filter>,
        until: &Stop,
    ) -> Result<Vec<Scored>, CollectionError> {
        let allowed = filter.map(|filter| self.allowed(filter, until)).transpose()?;
        let passing = allowed.as_ref().map(|allowed| &allowed.words);
        let search = LexicalSearch { k, ..LexicalSearch::default() };
        let go_on = || !until.is_due();
        let hits = self.with_words(|words| words.search_passing(text, &search, passing, &go_on))?;
        Ok(hits.into_iter().map(|hit| Scored { id: hit.id, score: hit.score }).collect())
    }

    fn fetch(&self, keys: &[&str], until: &Stop) -> Result<Vec<Option<Record>>, CollectionError> {
        let fetch = |key: &&str| match until.is_due() {
            true => Err(CollectionError::SearchStopped),
            false => {
                let found = self.with_words(|words| words.get_with(key))?;
                Ok(found.map(|(document, note)| Record { document, note }))
            }
        };
        keys.iter().map(fetch).collect()
    }

    fn passing(&self, filter: &Filter, until: &Stop) -> Result<Vec<String>, CollectionError> {
        let allowed = self.allowed(filter, until)?;
        self.with_words(|index| index.ids_of(&allowed.words))
    }

    fn keys(&self) -> Vec<String> {
        self.reader.ids().map(str::to_owned).collect()
    }
}

/// Opens the lexical index that a commit names, after a check of its file sizes.
fn open_words(
    directory: &Path,
    metadata: &CollectionMetadata,
) -> Result<LexicalReader, CollectionError> {
    let path = directory.join(&metadata.words);
    for file in metadata.files.iter().flatten() {
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

/// Fails if there is no directory of views.
fn check_views(directory: &Path) -> Result<(), CollectionError> {
    if directory.join(VIEWS).is_dir() {
        return Ok(());
    }
    Err(match kind(directory) {
        Ok(Kind::Collection) => CollectionError::Damaged {
            path: directory.join(VIEWS),
            what: "the directory is missing".to_owned(),
        },
        _ => CollectionError::Absent { path: directory.to_owned() },
    })
}

/// The error for a panic in the lexical index.
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
    use crate::Collection;

    #[test]
    fn defect_s1_words_and_views_share_the_documents_of_a_filter() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notes");
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
        let model = Model::open(&model, &Settings::default()).unwrap();
        let collection = Collection::options().encoder(model).create(&place).unwrap();
        let text = "light house".to_owned();
        let document = |id: &str| {
            let (id, text) = (id.to_owned(), text.clone());
            let metadata = BTreeMap::from([("year".to_owned(), 7)]);
            let metadata = serde_json::from_value(serde_json::json!(metadata)).unwrap();
            Document { id, text, metadata, ..Document::default() }
        };
        let mut writer = collection.writer().unwrap();
        writer.add(["a", "b", "c"].map(document)).unwrap();
        writer.commit().unwrap();
        let filter: Filter = "year = 7".parse().unwrap();
        let none = "year = 8".parse().unwrap();
        let snapshot = LocalSnapshot::open(&place).unwrap();
        let query = collection.encode("light").unwrap().0;
        let (lanes, stop) = (query.searching(None), Stop::default());
        let count = || {
            let scope = SearchScope::Passing(&filter);
            let request = ByViews { lanes: &lanes, query: &query.views, rerank: 9, k: 9, scope };
            let by_views = snapshot.nominate(&request, &stop).unwrap().best.len();
            (by_views, snapshot.words("light", 9, Some(&filter), &stop).unwrap().len())
        };
        assert_eq!(count(), (3, 3));
        // the filter is found to pass nothing: who evaluates it again finds three documents
        let nothing = snapshot.allowed(&none, &stop).unwrap();
        snapshot.filters.lock().unwrap().insert(0, (filter.clone(), nothing));
        assert_eq!(count(), (0, 0));
    }
}
