//! One generation of a collection: its views and its words, as one commit made them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fastlane_corpus::{Filter, LexicalReader, Passing};
use fastlane_engine::{DocumentSet, Reader};
use serde::{Deserialize, Serialize};

use crate::error::CollectionError;
use crate::stop::Stop;

/// Where the index of views lies in a collection.
pub(crate) const VIEWS: &str = "views";
/// The attachment that tells the rest.
pub(crate) const ABOUT: &str = "collection";
/// Filters whose documents are remembered.
const FILTERS: usize = 16;

/// What a commit says about the collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// The only format there is yet: 1.
    pub(crate) format: u32,
    /// Where the model was.
    pub(crate) model: PathBuf,
    /// The directory of its words.
    pub(crate) words: String,
    /// What the last writer left for the next.
    #[serde(default)]
    pub(crate) mark: Option<String>,
}

/// One generation, open for search.
pub(crate) struct Snapshot {
    pub(crate) reader: Reader,
    pub(crate) words: LexicalReader,
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
        open: impl Fn() -> Result<Option<Reader>, fastlane_engine::OpenIndexError>,
    ) -> Result<Option<Self>, CollectionError> {
        if !directory.join(VIEWS).is_dir() {
            return Err(CollectionError::Absent { path: directory.to_owned() });
        }
        let mut tries = 0;
        loop {
            let Some(reader) = open()? else { return Ok(None) };
            let about = About::of(&reader, directory)?;
            match LexicalReader::open(&directory.join(&about.words)) {
                Ok(words) => {
                    let filters = Mutex::default();
                    return Ok(Some(Self { reader, words, about, filters }));
                }
                Err(error) => {
                    tries += 1;
                    let moved =
                        Reader::open(&directory.join(VIEWS))?.generation() != reader.generation();
                    if !moved || tries > 20 {
                        return Err(error.into());
                    }
                }
            }
        }
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
        let words = self.words.passing(filter, &|| !stop.is_due())?;
        let ids = self.words.ids_of(&words)?;
        let views = self.reader.select(ids.iter().map(String::as_str));
        let set = Arc::new(Allowed { views, words });
        let mut filters = self.filters.lock().expect("no thread panics while it holds it");
        filters.insert(0, (filter.clone(), Arc::clone(&set)));
        filters.truncate(FILTERS);
        Ok(set)
    }
}

impl About {
    /// What a generation says.
    pub(crate) fn of(reader: &Reader, directory: &Path) -> Result<Self, CollectionError> {
        let path = reader.attachment(ABOUT);
        let path = path.ok_or_else(|| CollectionError::Absent { path: directory.to_owned() })?;
        let damaged = |what: String| CollectionError::Damaged { path: path.clone(), what };
        let text = std::fs::read(&path).map_err(|error| damaged(error.to_string()))?;
        let about: Self =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        let plain =
            about.words.starts_with(crate::words::PREFIX) && !about.words.contains(['/', '\\']);
        match (about.format, plain) {
            (1, true) => Ok(about),
            (1, false) => Err(damaged(format!("`{}` names no directory of words", about.words))),
            (format, _) => Err(damaged(format!("it has format {format}, this program reads 1"))),
        }
    }
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
