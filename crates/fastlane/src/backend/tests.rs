//! The contract of backends: one test suite for the directory and the memory backend.

use std::sync::Arc;
use std::time::Duration;

use fastlane_corpus::{Document, Filter};
use fastlane_engine::WriterSettings;
use fastlane_model::{Model, Settings};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::{Collection, CollectionError, Fusion, Hint, Lanes, Search, SearchResult, Stop};

const WORDS: [&str; 8] = ["light", "house", "nine", "ships", "old", "keeper", "harbour", "seen"];

/// A collection of each kind, with the folder of the one on disk.
struct Kinds {
    _folder: TempDir,
    all: [(&'static str, Collection); 2],
}

fn model() -> Arc<Model> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");
    Arc::new(Model::open(golden, &Settings::default()).unwrap())
}

fn kinds(model: &Arc<Model>) -> Kinds {
    let folder = tempfile::tempdir().unwrap();
    let options = || Collection::options().encoder(Arc::clone(model));
    let local = options().create(folder.path().join("notes")).unwrap();
    Kinds { _folder: folder, all: [("local", local), ("memory", options().in_memory().unwrap())] }
}

fn document(id: &str, text: &str, year: i64) -> Document {
    let metadata = serde_json::from_value(serde_json::json!({ "year": year })).unwrap();
    Document { id: id.to_owned(), text: text.to_owned(), metadata, ..Document::default() }
}

fn fill(collection: &Collection) {
    let mut writer = collection.writer().unwrap();
    let documents = [
        document("a", "the light of the harbour", 1900),
        document("b", "nine ships", 1950),
        document("c", "the old keeper of the light", 2000),
    ];
    writer.add(documents).unwrap();
    writer.commit().unwrap();
}

/// The parts of a result that must agree in all backends; scores within the error of f16.
fn compared(found: &SearchResult) -> Vec<(String, f32, usize)> {
    let hit = |hit: &crate::Hit| {
        let key = crate::record::key(&hit.document.id, hit.passage.number);
        (key, hit.score, hit.matches.len())
    };
    found.hits.iter().map(hit).collect()
}

/// Asserts that two results agree except for rounding; equal scores may swap places.
fn assert_alike(local: &SearchResult, memory: &SearchResult) {
    let (a, b) = (compared(local), compared(memory));
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for ((_, x, pairs), (_, y, others)) in a.iter().zip(&b) {
        assert!((x - y).abs() < 2e-3 * (1.0 + x.abs()), "{a:?} {b:?}");
        assert_eq!(pairs, others);
    }
    for (id, x, _) in &a {
        if let Some((_, y, _)) = b.iter().find(|(other, ..)| other == id) {
            assert!((x - y).abs() < 2e-3 * (1.0 + x.abs()), "{id}: {a:?} {b:?}");
        }
    }
}

#[test]
fn changes_are_seen_after_the_commit_alone() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        assert_eq!(collection.stats().views.documents, 0, "{kind}");
        let first = collection.generation();
        let mut writer = collection.writer().unwrap();
        writer.add([document("a", "light", 1)]).unwrap();
        assert!(collection.ids().is_empty(), "{kind}");
        let generation = writer.commit().unwrap();
        assert!(generation > first && collection.generation() == generation, "{kind}");
        // the writer remains usable
        writer.add([document("b", "ships", 2)]).unwrap();
        assert!(writer.delete("a").unwrap() && !writer.delete("none").unwrap(), "{kind}");
        assert!(writer.commit().unwrap() > generation, "{kind}");
        assert_eq!(collection.ids(), ["b"], "{kind}");
        let same = collection.generation();
        assert_eq!(writer.commit().unwrap(), same, "{kind}: without changes nothing is written");
    }
}

#[test]
fn what_is_not_committed_is_gone_with_its_writer() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        let mut writer = collection.writer().unwrap();
        writer.add([document("a", "light", 1)]).unwrap();
        drop(writer);
        collection.writer().unwrap().commit().unwrap();
        assert!(collection.ids().is_empty(), "{kind}");
    }
}

#[test]
fn one_writer_at_a_time() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        let writer = collection.writer().unwrap();
        let error = collection.writer().unwrap_err();
        assert!(
            matches!(
                &error,
                CollectionError::OpenViews(fastlane_engine::OpenIndexError::Locked { .. })
            ),
            "{kind}: {error}"
        );
        drop(writer);
        assert!(collection.writer().is_ok(), "{kind}");
    }
}

#[test]
fn documents_come_back_as_they_were_added() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        fill(&collection);
        let wanted = document("a", "the light of the harbour", 1900);
        assert_eq!(collection.document("a").unwrap(), Some(wanted), "{kind}");
        assert_eq!(collection.document("none").unwrap(), None, "{kind}");
        let mut ids = collection.ids();
        ids.sort();
        assert_eq!(ids, ["a", "b", "c"], "{kind}");
        assert_eq!(collection.stats().documents, 3, "{kind}");
    }
}

#[test]
fn filters_let_the_same_documents_pass() {
    let model = model();
    let filter: Filter = "year > 1940".parse().unwrap();
    for (kind, collection) in kinds(&model).all {
        fill(&collection);
        assert_eq!(collection.count(&filter).unwrap(), 2, "{kind}");
        for fusion in [None, Some(Fusion::Ranks), Some(Fusion::Scores)] {
            let search = Search::text("light").filter(filter.clone()).fusion(fusion);
            let found = collection.search(&search).unwrap();
            let mut ids: Vec<_> = found.hits.iter().map(|hit| &*hit.document.id).collect();
            ids.sort_unstable();
            assert_eq!(ids, ["b", "c"], "{kind}");
        }
    }
}

#[test]
fn tags_are_kept_by_the_commit() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        let mut writer = collection.writer().unwrap();
        writer.tag("journal", "7");
        assert_eq!(collection.tag("journal"), None, "{kind}");
        writer.commit().unwrap();
        writer.tag("other", "8");
        writer.commit().unwrap();
        assert_eq!(collection.tag("journal").as_deref(), Some("7"), "{kind}");
        assert_eq!(collection.tag("other").as_deref(), Some("8"), "{kind}");
    }
}

#[test]
fn a_search_that_is_due_ends() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        fill(&collection);
        for fusion in [None, Some(Fusion::Ranks)] {
            let search = Search::text("light").fusion(fusion).stop(Stop::after(Duration::ZERO));
            let error = collection.search(&search).unwrap_err();
            assert!(error.is_stopped(), "{kind}: {error}");
        }
    }
}

#[test]
fn a_commit_that_is_stopped_changes_nothing() {
    let model = model();
    for (kind, collection) in kinds(&model).all {
        fill(&collection);
        let mut writer = collection.writer().unwrap();
        writer.add([document("d", "seen", 3)]).unwrap();
        writer.on_progress(|_| false);
        let error = writer.commit().unwrap_err();
        assert!(matches!(error, CollectionError::Stopped), "{kind}: {error}");
        drop(writer);
        collection.refresh().unwrap();
        assert_eq!(collection.ids().len(), 3, "{kind}");
    }
}

#[test]
fn hints_are_data() {
    let folder = tempfile::tempdir().unwrap();
    let error = Collection::open(folder.path().join("none")).unwrap_err();
    assert_eq!(error.hint(), Some(Hint::Create));
    let error = Collection::options().create(folder.path()).unwrap_err();
    assert_eq!(error.hint(), Some(Hint::GiveModel));
    let options = Collection::options().encoder(model()).store(crate::Store::F16);
    assert!(options.in_memory().unwrap_err().hint().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Random histories, then random searches: the directory agrees with brute force.
    #[test]
    fn a_directory_answers_as_brute_force_does(
        history in prop::collection::vec(
            (0..6_usize, prop::collection::vec(0..WORDS.len(), 1..7), any::<bool>()), 1..16),
        query in prop::collection::vec(0..WORDS.len(), 1..4),
        (lanes, rerank) in (0..3_usize, 0..2_usize),
    ) {
        let model = model();
        let kinds = kinds(&model);
        let text = |words: &[usize]| words.iter().map(|&it| WORDS[it]).collect::<Vec<_>>().join(" ");
        let found: Vec<SearchResult> = kinds.all.iter().map(|(_, collection)| {
            let settings = WriterSettings::default();
            let mut writer = collection.writer_with(settings).unwrap();
            for (id, words, commit) in &history {
                let id = ["a", "b", "c", "d", "e", "f"][*id];
                if words.len() == 1 {
                    writer.delete(id).unwrap();
                } else {
                    writer.add([document(id, &text(words), words.len() as i64)]).unwrap();
                }
                if *commit {
                    writer.commit().unwrap();
                }
            }
            writer.commit().unwrap();
            let search = Search::text(text(&query))
                .lanes([Lanes::Usual, Lanes::Best(2), Lanes::All][lanes])
                .rerank([0, 100][rerank]);
            collection.search(&search).unwrap()
        }).collect();
        let stats: Vec<_> = kinds.all.iter().map(|(_, it)| it.stats().views.documents).collect();
        prop_assert_eq!(stats[0], stats[1]);
        assert_alike(&found[0], &found[1]);
        // fusion stands above the seam, and scales scores by their spread: both of its lists agree
        let words = kinds.all.each_ref().map(|(_, collection)| {
            let snapshot = collection.snapshot();
            let mut words = snapshot.words(&text(&query), 100, None, &Stop::default()).unwrap();
            words.sort_by(|a, b| a.id.cmp(&b.id));
            words
        });
        let ids = words.each_ref().map(|words| words.iter().map(|it| &it.id).collect::<Vec<_>>());
        prop_assert_eq!(&ids[0], &ids[1]);
        for (a, b) in words[0].iter().zip(&words[1]) {
            prop_assert!((a.score - b.score).abs() < 1e-4 * (1.0 + a.score), "{a:?} {b:?}");
        }
    }
}
