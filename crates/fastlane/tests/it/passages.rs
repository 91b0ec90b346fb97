//! Documents that are longer than a passage: split, found, joined, changed and deleted as one.

use std::collections::BTreeMap;

use fastlane::{Collection, CollectionWriter, Document, Lanes, PassageSettings, Search};
use proptest::prelude::*;

use crate::{memory, model};

const WORDS: [&str; 6] = ["light", "house", "nine", "ships", "old", "keeper"];

/// Passages of this many tokens.
fn size(size: usize) -> PassageSettings {
    PassageSettings { size, overlap: 0, whole: size }
}

fn writer(collection: &Collection) -> CollectionWriter {
    let mut writer = collection.writer().unwrap();
    writer.passages(size(16));
    writer
}

/// A collection on disk and one in memory; the folder goes with the test.
fn kinds() -> (tempfile::TempDir, [Collection; 2]) {
    let (folder, model) = (memory(), model("lanes-split"));
    let options = || Collection::options().encoder(model.clone());
    let local = options().create(folder.path().join("notes")).unwrap();
    (folder, [local, options().in_memory().unwrap()])
}

fn document(id: &str, text: &str) -> Document {
    let metadata = serde_json::json!({ "of": id }).as_object().unwrap().clone();
    let (id, text) = (id.to_owned(), text.to_owned());
    Document { id, text, metadata, ..Document::default() }
}

const LONG: &str = "# Light\n\nnine ships nine ships nine ships\n\n# House\n\n\
old keeper old keeper old keeper\n\n## Ships\n\nlight light light light light light\n";

#[test]
fn a_long_document_is_found_by_its_passages_and_read_as_one() {
    let (_folder, kinds) = kinds();
    for collection in kinds {
        let mut writer = writer(&collection);
        let changes = writer.add([document("a", LONG), document("b", "nine ships")]).unwrap();
        assert_eq!((changes.added, changes.replaced), (2, 0));
        writer.commit().unwrap();
        let stats = collection.stats();
        assert_eq!((stats.documents, stats.passages), (2, 4));
        let mut ids = collection.ids();
        ids.sort();
        assert_eq!(ids, ["a", "b"]);
        let read = collection.document("a").unwrap().unwrap();
        assert_eq!((&*read.text, &read.metadata["of"]), (LONG, &"a".into()));
        assert_eq!(collection.document("a\u{1f}2").unwrap(), None, "a key is not an id");
        assert_eq!(collection.count(&"of = a".parse().unwrap()).unwrap(), 1);

        let search = Search::text("light").lanes(Lanes::All);
        let found = collection.search(&search).unwrap();
        assert_eq!(found.hits.len(), 4);
        let third = found.hits.iter().find(|hit| hit.passage.number == 3).unwrap();
        assert_eq!(third.document.id, "a");
        assert_eq!(third.document.text, "## Ships\n\nlight light light light light light");
        assert_eq!((third.passage.of, third.passage.lines), (3, [9, 11]));
        assert_eq!(third.passage.headings, ["House", "Ships"]);
        assert_eq!(&LONG[third.passage.bytes.clone()], third.document.text);
        assert_eq!(third.context, ["", ""]);

        let found = collection.search(&search.clone().group(true).context(1)).unwrap();
        let ids: Vec<&str> = found.hits.iter().map(|hit| &*hit.document.id).collect();
        assert!(ids == ["a", "b"] || ids == ["b", "a"], "{ids:?}");
        let a = found.hits.iter().find(|hit| hit.document.id == "a").unwrap();
        assert_eq!(a.others.len(), 2);
        let [before, after] = &a.context;
        let place = a.passage.bytes.start - before.len()..a.passage.bytes.end + after.len();
        assert_eq!(LONG[place], format!("{before}{}{after}", a.document.text));
        assert!(!before.is_empty() || a.passage.number == 1);
        let ranked = collection.rank(&search).unwrap();
        assert_eq!(ranked.len(), 2);
        let part = collection.passage("a", 2, 1).unwrap().unwrap();
        assert_eq!(part.text, LONG);
        assert_eq!(collection.passage("a", 4, 1).unwrap(), None);
    }
}

#[test]
fn a_document_changes_and_goes_with_all_its_passages() {
    let (_folder, kinds) = kinds();
    for collection in kinds {
        let mut writer = writer(&collection);
        writer.add([document("a", LONG)]).unwrap();
        // replaced before the commit, and after it
        assert_eq!(writer.add([document("a", "nine ships")]).unwrap().replaced, 1);
        writer.commit().unwrap();
        assert_eq!(collection.stats().passages, 1);
        writer.add([document("a", LONG)]).unwrap();
        writer.commit().unwrap();
        assert_eq!(collection.stats().passages, 3);
        assert_eq!(writer.update([document("a", LONG)]).unwrap().unchanged, 1);
        assert_eq!(writer.update([document("b", LONG)]).unwrap().deleted, 1);
        writer.commit().unwrap();
        assert_eq!((collection.ids(), collection.stats().passages), (vec!["b".to_owned()], 3));
        assert!(writer.delete("b").unwrap() && !writer.delete("b").unwrap());
        writer.commit().unwrap();
        assert_eq!(collection.stats().passages, 0);
    }
}

#[test]
fn an_id_that_looks_like_a_passage_is_refused() {
    let (_folder, kinds) = kinds();
    for collection in kinds {
        let mut writer = writer(&collection);
        let error = writer.add([document("a\u{1f}2", "light")]).unwrap_err();
        let wanted = "the document id `a\\u{1f}2` has the control character U+001F";
        assert_eq!(error.to_string(), wanted);
        assert!(error.hint().is_some());
        assert!(!writer.delete("a\u{1f}2").unwrap());
    }
}

#[test]
fn a_document_longer_than_the_encoder_reads_is_found_to_its_end() {
    let (_folder, kinds) = kinds();
    for collection in kinds {
        let mut text = "light house. ".repeat(400);
        text += "nine ships";
        let mut writer = collection.writer().unwrap();
        writer.add([document("a", &text)]).unwrap();
        writer.commit().unwrap();
        let of = collection.stats().passages;
        assert!(of > 1, "{of} passages");
        let found = collection.search(&Search::text("nine ships").lanes(Lanes::All)).unwrap();
        let last = found.hits.iter().find(|hit| hit.document.text.ends_with("nine ships"));
        assert_eq!(last.unwrap().passage.number as u64, of);
        assert!(found.hits.iter().all(|hit| hit.passage.of as u64 == of));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is added, replaced and deleted, the documents are those of a map.
    #[test]
    fn documents_of_many_passages_are_those_of_a_map(
        history in prop::collection::vec(
            (0..4_usize, prop::collection::vec(0..WORDS.len(), 0..30), any::<bool>()), 1..12),
    ) {
        let (_folder, kinds) = kinds();
        let mut all = BTreeMap::new();
        let mut writers: Vec<_> = kinds.iter().map(writer).collect();
        for (id, words, commit) in &history {
            let id = ["a", "b", "c", "d"][*id];
            let text = words.iter().map(|&word| WORDS[word]).collect::<Vec<_>>().join(" ");
            let before = match text.is_empty() {
                true => all.remove(id),
                false => all.insert(id, text.clone()),
            };
            for writer in &mut writers {
                match text.is_empty() {
                    true => prop_assert_eq!(writer.delete(id).unwrap(), before.is_some()),
                    false => {
                        let changes = writer.add([document(id, &text)]).unwrap();
                        prop_assert_eq!(changes.replaced == 1, before.is_some());
                    }
                }
                if *commit {
                    writer.commit().unwrap();
                }
            }
        }
        for (writer, collection) in writers.iter_mut().zip(&kinds) {
            writer.commit().unwrap();
            let mut ids = collection.ids();
            ids.sort();
            prop_assert_eq!(&ids, &all.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(collection.stats().documents as usize, all.len());
            for (id, text) in &all {
                prop_assert_eq!(&collection.document(id).unwrap().unwrap().text, text);
            }
        }
        prop_assert_eq!(kinds[0].stats().passages, kinds[1].stats().passages);
    }
}
