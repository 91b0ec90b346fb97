//! Options of a collection and of a search, alone and together.

use std::num::NonZero;
use std::time::Duration;

use fastlane::{
    Collection, CollectionError, Filter, Fusion, Hint, Lanes, Query, Search, Stop, Store,
};

use crate::{checkpoint, copy_all, document, model};

const TEXTS: [(&str, &str); 5] = [
    ("a", "nine ship seen"),
    ("b", "the light house"),
    ("c", "harbour light"),
    ("d", "baking"),
    ("e", "singing house"),
];

/// A collection in memory with all texts.
fn notes(cached_queries: usize) -> Collection {
    let options = Collection::options().encoder(model("lanes-split"));
    let notes = options.cached_queries(cached_queries).in_memory().unwrap();
    let mut writer = notes.writer().unwrap();
    writer.add(TEXTS.map(|(id, text)| document(id, text))).unwrap();
    writer.commit().unwrap();
    notes
}

fn ids(collection: &Collection, search: &Search) -> Vec<String> {
    collection.rank(search).unwrap().into_iter().map(|(id, _)| id).collect()
}

#[test]
fn the_store_is_fixed_when_a_collection_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    let options = || Collection::options().encoder(model("lanes-split"));
    assert_eq!(options().store(Store::Bits8).create(&place).unwrap().stats().store, Store::Bits8);
    assert_eq!(options().open(&place).unwrap().stats().store, Store::Bits8);
    assert!(options().store(Store::Bits8).open(&place).is_ok());
    let error = options().store(Store::F16).open(&place).unwrap_err();
    let wanted = (Store::Bits8, Store::F16);
    assert!(
        matches!(error, CollectionError::Store { found, wanted: it, .. } if (found, it) == wanted)
    );
    let error = options().store(Store::Bits8).in_memory().unwrap_err();
    assert_eq!(error.to_string(), "a collection in memory has no store, found 8bit");
    assert_eq!(error.hint().unwrap().to_string(), "leave the store out");
}

#[test]
fn a_collection_is_not_created_without_an_encoder() {
    let folder = tempfile::tempdir().unwrap();
    for options in [Collection::options(), Collection::options().without_encoder()] {
        let error = options.clone().create(folder.path().join("notes")).unwrap_err();
        assert!(matches!(error, CollectionError::NoEncoder { .. }), "{error}");
        assert_eq!(error.hint(), Some(Hint::GiveModel));
        assert!(matches!(options.in_memory(), Err(CollectionError::NoEncoder { .. })));
    }
    assert!(!folder.path().join("notes").exists(), "nothing is left of an attempt");
}

#[test]
fn without_an_encoder_views_search_and_documents_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let model = model("lanes-split");
    let notes = Collection::options().encoder(model.clone()).create(folder.path()).unwrap();
    let mut writer = notes.writer().unwrap();
    writer.add(TEXTS.map(|(id, text)| document(id, text))).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let blind = Collection::options().without_encoder().open(folder.path()).unwrap();
    let views = fastlane::Encoder::encode_query(&*model, "light house").unwrap();
    let by_text = ids(&notes, &Search::text("light house").k(3));
    assert_eq!(ids(&blind, &Search::views(views.clone()).k(3)), by_text);
    let mut writer = blind.writer().unwrap();
    let error = writer.add([document("f", "nine")]).unwrap_err();
    assert!(matches!(error, CollectionError::NoEncoder { .. }), "{error}");
    assert!(writer.delete(&by_text[0]).unwrap());
    writer.compact().unwrap();
    assert_eq!(ids(&blind, &Search::views(views).k(2)), by_text[1..]);
}

#[test]
fn a_model_that_moved_is_passed_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|name| folder.path().join(name));
    copy_all(&checkpoint("lanes-split"), &before);
    let place = folder.path().join("notes");
    drop(Collection::options().model(&before).create(&place).unwrap());
    assert!(Collection::open(&place).is_ok());
    copy_all(&before, &after);
    std::fs::remove_dir_all(&before).unwrap();
    let error = Collection::open(&place).unwrap_err();
    assert!(matches!(&error, CollectionError::Model { model, .. } if model.ends_with("before")));
    assert_eq!(error.hint(), Some(Hint::ModelMoved));
    assert!(Collection::options().model(&after).open(&place).is_ok());
}

#[test]
fn a_repeated_query_is_encoded_once() {
    let repeated = |cached: usize| {
        let notes = notes(cached);
        for query in ["light", "light", "house", "light"] {
            notes.search(&Search::text(query)).unwrap();
        }
        notes.cached_queries()
    };
    // hits and misses; with room for one, each other query takes the place of the last
    assert_eq!(repeated(512), [2, 2]);
    assert_eq!(repeated(1), [1, 3]);
    assert_eq!(repeated(0), [0, 4]);
}

#[test]
fn a_cached_query_finds_the_same() {
    let (cached, uncached) = (notes(512), notes(0));
    for fusion in [None, Some(Fusion::Ranks)] {
        let search = Search::text("light house").fusion(fusion);
        let first = cached.rank(&search).unwrap();
        assert_eq!(cached.rank(&search).unwrap(), first);
        assert_eq!(uncached.rank(&search).unwrap(), first);
    }
}

#[test]
fn fewer_hits_are_the_first_of_more() {
    let notes = notes(512);
    for lanes in [Lanes::Usual, Lanes::Best(1), Lanes::All] {
        for (rerank, fusion) in [(0, None), (100, None), (100, Some(Fusion::Ranks))] {
            let search = Search::text("light house").lanes(lanes).rerank(rerank).fusion(fusion);
            let all = ids(&notes, &search.clone().k(5));
            assert_eq!(all.len(), 5);
            for k in 0..5 {
                assert_eq!(ids(&notes, &search.clone().k(k)), all[..k], "{search:?}");
            }
        }
    }
}

#[test]
fn more_lanes_than_tokens_are_all_lanes() {
    let notes = notes(512);
    let search = Search::text("light house").rerank(0);
    let all = notes.rank(&search.clone().lanes(Lanes::All)).unwrap();
    assert_eq!(notes.rank(&search.clone().lanes(Lanes::Best(99))).unwrap(), all);
    assert_ne!(notes.rank(&search.lanes(Lanes::Best(1))).unwrap(), all);
}

#[test]
fn a_filter_and_a_fusion_combine() {
    let notes = notes(512);
    let filter: Filter = "words = 2".parse().unwrap();
    assert_eq!(notes.count(&filter).unwrap(), 2);
    for fusion in [None, Some(Fusion::Ranks), Some(Fusion::Scores)] {
        let search = Search::text("light").k(9).filter(filter.clone()).fusion(fusion);
        let mut found = ids(&notes, &search);
        found.sort();
        assert_eq!(found, ["c", "e"], "{fusion:?}");
    }
}

#[test]
fn results_come_one_by_one_from_one_generation() {
    let notes = notes(512);
    let search = Search::text("light house").k(4).fusion(Fusion::Scores);
    let whole = notes.search(&search).unwrap();
    let mut results = notes.results(&search).unwrap();
    assert!(results.head().hits.is_empty());
    let first = results.next().unwrap().unwrap();
    assert_eq!((first.rank, &first.document), (1, &whole.hits[0].document));
    // a commit in between changes nothing
    let mut writer = notes.writer().unwrap();
    writer.delete(&whole.hits[1].document.id).unwrap();
    writer.commit().unwrap();
    let left: Vec<_> = results.map(|hit| hit.unwrap().document.id).collect();
    let wanted: Vec<_> = whole.hits[1..].iter().map(|hit| hit.document.id.clone()).collect();
    assert_eq!(left, wanted);
}

#[test]
fn many_searches_find_what_each_finds_alone() {
    let notes = notes(0);
    let views = fastlane::Encoder::encode_query(&*model("lanes-split"), "baking").unwrap();
    let searches = [
        Search::text("light house").k(3),
        Search::views(views).k(2),
        Search::text("singing").k(1).fusion(Fusion::Ranks),
    ];
    let alone: Vec<_> = searches.iter().map(|search| notes.rank(search).unwrap()).collect();
    for threads in [1, 2, 8] {
        let threads = NonZero::new(threads).unwrap();
        assert_eq!(notes.rank_many(&searches, threads).unwrap(), alone);
        let found = notes.search_many(&searches, threads).unwrap();
        for (found, alone) in found.iter().zip(&alone) {
            let found = found.hits.iter().map(|hit| (hit.document.id.clone(), hit.score));
            assert_eq!(found.collect::<Vec<_>>(), *alone);
        }
    }
    let with_empty = [searches[0].clone(), Search::text(" ")];
    let error = notes.rank_many(&with_empty, NonZero::<usize>::MIN).unwrap_err();
    assert!(matches!(error, CollectionError::EmptyQuery), "{error}");
    assert!(notes.rank_many(&[], NonZero::<usize>::MIN).unwrap().is_empty());
}

#[test]
fn a_search_that_is_cancelled_fails_all_of_a_batch() {
    let notes = notes(512);
    let cancelled = Stop::default();
    cancelled.cancel();
    let searches = [Search::text("light").stop(cancelled), Search::text("house")];
    let error = notes.search_many(&searches, NonZero::new(2).unwrap()).unwrap_err();
    assert!(error.is_stopped() && !error.is_transient(), "{error}");
}

#[test]
fn a_stop_is_due_when_a_clone_is_cancelled_or_its_time_is_up() {
    let stop = Stop::default();
    let clone = stop.clone();
    assert!(!stop.is_due());
    clone.cancel();
    assert!(stop.is_due());
    // a time limit that no clock reaches is none
    assert!(!Stop::after(Duration::MAX).is_due());
    assert!(Stop::after(Duration::ZERO).is_due());
}

#[test]
fn the_query_of_a_search_is_replaced_and_its_settings_stay() {
    let notes = notes(512);
    let search = Search::text("baking").k(1).lanes(Lanes::All);
    let other = search.clone().query(Query::Text("singing house".to_owned()));
    assert_eq!((other.k, other.lanes), (1, Lanes::All));
    let found = notes.rank(&other).unwrap();
    let fresh = Search::text("singing house").k(1).lanes(Lanes::All);
    assert_eq!(found, notes.rank(&fresh).unwrap());
    assert_ne!(found, notes.rank(&search).unwrap());
}
