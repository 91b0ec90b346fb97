//! The state of an update: the outcome for each document; of several with one id, the last one
//! counts.
//!
//! A document is compared with the last one of its id that was written in this update, or else with
//! the committed one. Documents are not kept for that, only a hash of each written one.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};

use fastlane_corpus::Document;
use serde::Serialize;

use crate::backend::Snapshot;
use crate::read;
use crate::stop::Stop;

/// What became of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Documents that were not there before.
    pub added: u64,
    /// Documents that took the place of others with their ids.
    pub replaced: u64,
    /// Documents that are there as they are.
    pub unchanged: u64,
    /// Documents that went.
    pub deleted: u64,
}

/// The documents of an update, by their ids.
pub(crate) struct Update<'a> {
    before: &'a dyn Snapshot,
    hasher: RandomState,
    seen: HashMap<String, Outcome>,
    /// Documents that were written again although one with their id had been written.
    repeated: u64,
}

/// The outcome of the last document with an id.
enum Outcome {
    /// Unchanged: nothing was written.
    Unchanged,
    /// Written.
    Written {
        hash: u64,
        /// Whether it equals the committed document again, after another one was written in
        /// between.
        as_before: bool,
    },
}

impl<'a> Update<'a> {
    /// Compares with these documents.
    pub(crate) fn of(before: &'a dyn Snapshot) -> Self {
        Self { before, hasher: RandomState::new(), seen: HashMap::new(), repeated: 0 }
    }

    /// Whether a document has to be written, which the caller then does.
    pub(crate) fn differs(&mut self, document: &Document) -> bool {
        let hash = self.hash(document);
        let written = match self.seen.get(&document.id) {
            Some(Outcome::Written { hash: last, .. }) if *last == hash => return false,
            Some(Outcome::Written { .. }) => true,
            None | Some(Outcome::Unchanged) => false,
        };
        let as_before = is_same(self.before, document);
        let outcome = match as_before && !written {
            true => Outcome::Unchanged,
            false => Outcome::Written { hash, as_before },
        };
        self.repeated += u64::from(written);
        let differs = matches!(outcome, Outcome::Written { .. });
        self.seen.insert(document.id.clone(), outcome);
        differs
    }

    /// Whether a document with this id came.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.seen.contains_key(id)
    }

    /// Counts each id once, by its final state, from the counts during writing.
    pub(crate) fn count(&self, written: Changes) -> Changes {
        let count = |outcome: fn(&Outcome) -> bool| {
            self.seen.values().filter(|it| outcome(it)).count() as u64
        };
        let restored = count(|outcome| matches!(outcome, Outcome::Written { as_before: true, .. }));
        let left = count(|outcome| matches!(outcome, Outcome::Unchanged));
        Changes {
            replaced: written.replaced - self.repeated - restored,
            unchanged: left + restored,
            ..written
        }
    }

    fn hash(&self, document: &Document) -> u64 {
        let Document { id: _, title, text, metadata, outline: _ } = document;
        let mut hasher = self.hasher.build_hasher();
        (title, text).hash(&mut hasher);
        for (key, value) in metadata {
            (key, value.to_string()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Whether the same document is stored.
fn is_same(before: &dyn Snapshot, document: &Document) -> bool {
    // a document that cannot be read is written again
    let there = read::document(before, &document.id, &Stop::default()).ok().flatten();
    let Document { id: _, title, text, metadata, outline: _ } = document;
    there.is_some_and(|it| it.title == *title && it.text == *text && it.metadata == *metadata)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use fastlane_model::{Model, Settings};
    use proptest::prelude::*;

    use super::*;
    use crate::Collection;

    fn model() -> Arc<Model> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden");
        Model::open(golden.join("lanes-split"), &Settings::default()).unwrap().into()
    }

    fn document((id, text): &(&str, &str)) -> Document {
        Document { id: (*id).to_owned(), text: (*text).to_owned(), ..Document::default() }
    }

    /// Updates a collection, and returns the commit.
    fn update(collection: &Collection, documents: &[(&str, &str)]) -> (Changes, u64) {
        let documents: Vec<Document> = documents.iter().map(document).collect();
        let mut writer = collection.writer().unwrap();
        let changes = writer.update(documents).unwrap();
        (changes, writer.commit().unwrap())
    }

    fn texts(collection: &Collection) -> BTreeMap<String, String> {
        let text = |id: String| {
            let document = collection.document(&id).unwrap().unwrap();
            (id, document.text)
        };
        collection.ids().into_iter().map(text).collect()
    }

    #[test]
    fn defect_w1_an_unchanged_file_with_an_id_twice_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::options().encoder(model()).create(folder.path()).unwrap();
        let lines = [("A", "light house"), ("A", "nine ships"), ("B", "baking")];
        let (changes, first) = update(&collection, &lines);
        assert_eq!(changes, Changes { added: 2, ..Changes::default() });
        for _ in 0..3 {
            let (changes, generation) = update(&collection, &lines);
            assert_eq!(changes, Changes { unchanged: 2, ..Changes::default() });
            assert_eq!(generation, first, "nothing is written for nothing");
            assert_eq!(texts(&collection)["A"], "nine ships", "the last holds");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "views and words");
    }

    #[test]
    fn defect_w1_documents_are_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::options().encoder(model()).create(folder.path()).unwrap();
        update(&collection, &[("a", "light"), ("b", "ship"), ("c", "nine"), ("d", "seen")]);
        let lines = [
            ("a", "light"), // as it is, then another, then that once more
            ("a", "harbour"),
            ("a", "harbour"),
            ("b", "house"), // another, then as it was
            ("b", "ship"),
            ("c", "nine"), // as it is, twice
            ("c", "nine"),
            ("e", "baking"), // new, twice
            ("e", "singing"),
        ];
        let (changes, _) = update(&collection, &lines);
        assert_eq!(changes, Changes { added: 1, replaced: 1, unchanged: 2, deleted: 1 });
        let wanted = [("a", "harbour"), ("b", "ship"), ("c", "nine"), ("e", "singing")];
        let wanted = wanted.map(|(id, text)| (id.to_owned(), text.to_owned()));
        assert_eq!(texts(&collection), BTreeMap::from(wanted));
    }

    #[test]
    fn defect_a1_an_update_keeps_what_could_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::options().encoder(model()).create(folder.path()).unwrap();
        update(&collection, &[("a", "light"), ("b", "ship"), ("c", "nine")]);
        let mut writer = collection.writer().unwrap();
        let documents = vec![document(&("a", "light"))];
        let changes = writer.update_keeping(documents, |id| id == "b").unwrap();
        writer.commit().unwrap();
        assert_eq!(changes, Changes { unchanged: 1, deleted: 1, ..Changes::default() });
        assert_eq!(texts(&collection).into_keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn defect_w1_an_update_does_what_a_map_does(
            runs in prop::collection::vec(prop::collection::vec((0..4_usize, 0..3_usize), 0..8), 1..4)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let collection = Collection::options().encoder(model()).create(folder.path()).unwrap();
            let mut before = BTreeMap::new();
            for run in runs {
                let of = |&(id, text): &(usize, usize)| {
                    (["a", "b", "c", "d"][id], ["light", "nine ships", "house"][text])
                };
                let lines: Vec<_> = run.iter().map(of).collect();
                let (changes, _) = update(&collection, &lines);
                let after: BTreeMap<&str, &str> = lines.into_iter().collect();
                let count = |wanted: &dyn Fn(&str) -> bool| {
                    after.keys().filter(|id| wanted(id)).count() as u64
                };
                prop_assert_eq!(changes, Changes {
                    added: count(&|id| !before.contains_key(id)),
                    replaced: count(&|id| before.get(id).is_some_and(|text| *text != after[id])),
                    unchanged: count(&|id| before.get(id) == after.get(id)),
                    deleted: before.keys().filter(|id| !after.contains_key(*id)).count() as u64,
                });
                let found = texts(&collection);
                let found: BTreeMap<&str, &str> =
                    found.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
                prop_assert_eq!(&found, &after);
                before = after;
            }
        }
    }
}
