//! The life of a collection: what is committed is found, in all of its parts, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastlane::{
    Changes, Collection, CollectionError, Document, Filter, Fusion, Lanes, Query, ResultError,
    Search, Stop,
};
use proptest::prelude::*;

use crate::{checkpoint, document, model};

/// Words of the tiny encoder's vocabulary.
const WORDS: [&str; 8] = ["light", "harbour", "ship", "house", "baking", "singing", "nine", "seen"];

fn add(collection: &Collection, documents: &[(&str, &str)]) -> Changes {
    let mut writer = collection.writer().unwrap();
    let documents: Vec<Document> = documents.iter().map(|(id, text)| document(id, text)).collect();
    let changes = writer.add(documents).unwrap();
    writer.commit().unwrap();
    changes
}

fn ids(collection: &Collection, query: &str, search: &Search) -> Vec<String> {
    let search = search.clone().query(Query::Text(query.to_owned()));
    let found = collection.search(&search).unwrap();
    found.hits.into_iter().map(|hit| hit.document.id).collect()
}

fn all() -> Search {
    Search::text("light").k(100)
}

#[test]
fn a_collection_lives() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    let collection = Collection::options().encoder(model("lanes-split")).create(&place).unwrap();
    assert!(ids(&collection, "light", &all()).is_empty());
    let changes =
        add(&collection, &[("a", "light house"), ("b", "nine ship seen"), ("c", "baking")]);
    assert_eq!(changes, Changes { added: 3, ..Changes::default() });
    let mut found = ids(&collection, "light", &all());
    found.sort();
    assert_eq!(found, ["a", "b", "c"]);

    // replaced in all parts at once
    let changes = add(&collection, &[("b", "harbour"), ("d", "singing")]);
    assert_eq!(changes, Changes { added: 1, replaced: 1, ..Changes::default() });
    assert_eq!(collection.document("b").unwrap().unwrap().text, "harbour");
    let words = all().fusion(Fusion::Ranks);
    assert_eq!(ids(&collection, "harbour", &words)[0], "b");

    let mut writer = collection.writer().unwrap();
    assert!(writer.delete("a").unwrap() && !writer.delete("a").unwrap());
    writer.commit().unwrap();
    drop(writer);
    assert_eq!(collection.document("a").unwrap(), None);
    assert!(!ids(&collection, "light house", &words).contains(&"a".to_owned()));

    // another process sees the same, and follows
    let other = Collection::open(&place).unwrap();
    assert_eq!(other.generation(), collection.generation());
    add(&collection, &[("e", "house")]);
    assert!(!ids(&other, "house", &all()).contains(&"e".to_owned()));
    assert!(other.refresh().unwrap() && !other.refresh().unwrap());
    assert!(ids(&other, "house", &all()).contains(&"e".to_owned()));
    let directories = std::fs::read_dir(&place).unwrap().count();
    assert_eq!(directories, 2, "views, and the words of one generation");
}

#[test]
fn what_is_not_committed_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let collection =
        Collection::options().encoder(model("lanes-split")).create(folder.path()).unwrap();
    add(&collection, &[("a", "light")]);
    let mut writer = collection.writer().unwrap();
    writer.add([document("b", "ship")]).unwrap();
    writer.delete("a").unwrap();
    drop(writer);
    assert_eq!(collection.ids(), ["a"]);
    // as if the machine had stopped after the words were written and before the views were
    let words = std::fs::read_dir(folder.path()).unwrap().flatten();
    let words =
        words.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("words"));
    let next = words.unwrap().with_file_name("words-000003");
    std::fs::create_dir(&next).unwrap();
    std::fs::copy(checkpoint("lanes-split").join("config.json"), next.join("meta.json")).unwrap();
    let collection = Collection::open(folder.path()).unwrap();
    assert_eq!(collection.ids(), ["a"]);
    add(&collection, &[("b", "ship")]);
    assert_eq!(collection.document("b").unwrap().unwrap().text, "ship");
}

#[test]
fn an_update_changes_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let collection =
        Collection::options().encoder(model("lanes-split")).create(folder.path()).unwrap();
    add(&collection, &[("a", "light"), ("b", "ship"), ("c", "nine")]);
    let update = |documents: &[(&str, &str)]| {
        let documents: Vec<_> = documents.iter().map(|(id, text)| document(id, text)).collect();
        let mut writer = collection.writer().unwrap();
        let changes = writer.update(documents).unwrap();
        (changes, writer.commit().unwrap())
    };
    let (changes, generation) = update(&[("a", "light"), ("c", "nine seen"), ("d", "baking")]);
    assert_eq!(changes, Changes { added: 1, replaced: 1, unchanged: 1, deleted: 1 });
    let (changes, same) = update(&[("a", "light"), ("c", "nine seen"), ("d", "baking")]);
    assert_eq!((changes.unchanged, same), (3, generation), "nothing is written for nothing");
}

#[test]
fn filters_choose_by_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let collection =
        Collection::options().encoder(model("lanes-split")).create(folder.path()).unwrap();
    add(&collection, &[("a", "light house"), ("b", "light"), ("c", "light nine ship")]);
    for fusion in [None, Some(Fusion::Scores)] {
        let filter: Filter = "words > 1".parse().unwrap();
        let mut found = ids(&collection, "light", &all().filter(filter).fusion(fusion));
        found.sort();
        assert_eq!(found, ["a", "c"]);
    }
    let none = all().filter("colour = red".parse::<Filter>().unwrap());
    assert!(ids(&collection, "light", &none).is_empty());
}

#[test]
fn a_hit_says_which_token_answered_which() {
    let folder = tempfile::tempdir().unwrap();
    let collection =
        Collection::options().encoder(model("lanes-split")).create(folder.path()).unwrap();
    add(&collection, &[("a", "nine seen the light of the harbour")]);
    let found = collection.search(&Search::text("light ship")).unwrap();
    let hit = &found.hits[0];
    // each token of the query has its best, at its bytes
    assert_eq!(hit.matches.len(), found.tokens.len());
    for it in hit.matches.iter().filter(|it| it.bytes.is_some()) {
        let word = &hit.document.text[it.bytes.clone().unwrap()];
        assert!(word.starts_with(it.token.trim_start_matches('#')), "{word} {}", it.token);
    }
    let sum: f32 = hit.matches.iter().map(|it| it.product).sum();
    assert!((sum - hit.score).abs() < 1e-4, "the matches make the score");
    let text: String = hit.snippet.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(text, hit.document.text);
    // document lanes that are learned stand for no token
    let by_lane = collection.search(&Search::text("light").rerank(0)).unwrap();
    assert!(by_lane.hits[0].matches.is_empty());
}

#[test]
fn bad_places_and_bad_queries_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let said = |error: Option<CollectionError>| error.unwrap().to_string();
    let place = |path: &Path| path.display().to_string();
    let wanted = format!("`{}` is not a collection", place(&absent));
    assert_eq!(said(Collection::open(&absent).err()), wanted);
    let notes = folder.path().join("notes");
    let collection = Collection::options().encoder(model("lanes-split")).create(&notes).unwrap();
    let wanted = format!("`{}` already holds a collection", place(&notes));
    assert_eq!(
        said(Collection::options().encoder(model("lanes-split")).create(&notes).err()),
        wanted
    );
    let wanted =
        format!("`{}` holds `notes`, which does not belong to a collection", place(folder.path()));
    assert_eq!(
        said(Collection::options().encoder(model("lanes-split")).create(folder.path()).err()),
        wanted
    );
    let error = said(Collection::options().encoder(model("lanes-tied")).open(&notes).err());
    assert!(error.starts_with(&format!("`{}` has views of model ", place(&notes))), "{error}");
    assert_eq!(said(collection.search(&Search::text(" \n")).err()), "the query is empty");
    let blind = Collection::options().without_encoder().open(&notes).unwrap();
    assert!(matches!(blind.search(&all()), Err(CollectionError::NoEncoder { .. })));
    let writer = collection.writer().unwrap();
    let second = said(collection.writer().err());
    assert!(second.starts_with("another writer has the index at"), "{second}");
    drop(writer);
    let mut writer = collection.writer().unwrap();
    let error = writer.add([document("", "light")]).err();
    assert_eq!(said(error), "a document has an empty id");
    writer.on_progress(|_| false);
    let stopped = writer.add([document("a", "light")]).err();
    assert!(matches!(stopped, Some(CollectionError::Stopped)));
}

/// What happens to a collection.
#[derive(Debug, Clone)]
enum Step {
    Add(Vec<(u8, u8)>),
    Delete(u8),
    GiveUp(u8),
    Reopen,
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..12_u8, any::<u8>()), 1..5).prop_map(Step::Add),
        2 => (0..12_u8).prop_map(Step::Delete),
        1 => (0..12_u8).prop_map(Step::GiveUp),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

fn text(seed: u8) -> String {
    let word = |at: usize| WORDS[(usize::from(seed) / 8_usize.pow(at as u32)) % 8];
    (0..1 + usize::from(seed) % 3).map(word).collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn views_words_and_texts_agree_with_a_map(steps in prop::collection::vec(step(), 1..10)) {
        let folder = tempfile::tempdir().unwrap();
        let model = model("lanes-split");
        let mut collection = Collection::options().encoder(Arc::clone(&model)).create(folder.path()).unwrap();
        let mut map: BTreeMap<String, String> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add(documents) => {
                    let mut writer = collection.writer().unwrap();
                    let each: Vec<Document> = documents
                        .iter()
                        .map(|&(id, seed)| document(&id.to_string(), &text(seed)))
                        .collect();
                    map.extend(each.iter().map(|it| (it.id.clone(), it.text.clone())));
                    writer.add(each).unwrap();
                    writer.commit().unwrap();
                }
                Step::Delete(id) => {
                    let mut writer = collection.writer().unwrap();
                    let there = map.remove(&id.to_string()).is_some();
                    prop_assert_eq!(writer.delete(&id.to_string()).unwrap(), there);
                    writer.commit().unwrap();
                }
                Step::GiveUp(id) => {
                    let mut writer = collection.writer().unwrap();
                    writer.add([document(&id.to_string(), "nine")]).unwrap();
                }
                Step::Reopen => {
                    collection = Collection::options().encoder(Arc::clone(&model)).open(folder.path()).unwrap();
                }
                Step::Compact => {
                    collection.writer().unwrap().compact().unwrap();
                }
            }
            let mut ids = collection.ids();
            ids.sort();
            prop_assert_eq!(&ids, &map.keys().cloned().collect::<Vec<_>>());
            prop_assert_eq!(collection.stats().documents, map.len() as u64);
            for fusion in [None, Some(Fusion::Ranks)] {
                let found = collection.search(&all().fusion(fusion)).unwrap();
                prop_assert_eq!(found.hits.len(), map.len());
                for hit in found.hits {
                    prop_assert_eq!(&map[&hit.document.id], &hit.document.text);
                }
            }
        }
    }
}

#[test]
fn defect_s1_a_search_stops_when_its_time_is_up_or_it_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection::options()
        .encoder(model("lanes-split"))
        .create(folder.path().join("notes"))
        .unwrap();
    add(&collection, &[("a", "light house"), ("b", "nine ship seen")]);
    let cancelled = Stop::default();
    cancelled.cancel();
    let filter: Filter = "words > 0".parse().unwrap();
    for stop in [cancelled, Stop::after(Duration::ZERO)] {
        for (rerank, fusion) in [(0, None), (100, None), (100, Some(Fusion::Ranks))] {
            let search = all().rerank(rerank).fusion(fusion).filter(filter.clone());
            let error = collection.search(&search.stop(stop.clone())).unwrap_err();
            assert!(error.is_stopped(), "{error}");
        }
    }
    let search = all().stop(Stop::after(Duration::from_secs(60)));
    assert_eq!(ids(&collection, "light", &search).len(), 2);
    // between documents that are fetched
    let mut results = collection.results(&search).unwrap();
    assert!(results.next().unwrap().is_ok());
    search.stop.cancel();
    assert!(results.next().unwrap().unwrap_err().is_stopped());
}

#[test]
fn defect_c1_an_answer_is_written_while_its_documents_are_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let collection = Collection::options()
        .encoder(model("lanes-split"))
        .create(folder.path().join("notes"))
        .unwrap();
    add(&collection, &[("a", "light house"), ("b", "nine \"ship\" seen"), ("c", "baking")]);
    for (lanes, fusion) in
        [(Lanes::Usual, None), (Lanes::Best(2), None), (Lanes::Usual, Some(Fusion::Scores))]
    {
        let search = Search::text("light house").k(100).lanes(lanes).fusion(fusion);
        let whole = serde_json::to_string(&collection.search(&search).unwrap()).unwrap();
        let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
        let mut written = Vec::new();
        collection.results(&search).unwrap().write_json(&mut written).unwrap();
        let mut written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(written["hits"].as_array().unwrap().len(), 3);
        // how long it took differs
        assert!(written["milliseconds"]["total"].as_f64().unwrap() > 0.0);
        written["milliseconds"] = whole["milliseconds"].clone();
        assert_eq!(written, whole);
        let names = |value: &serde_json::Value| {
            value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&written["milliseconds"]), names(&whole["milliseconds"]));
    }
    // what takes no more ends it
    let search = all();
    let mut whole = Vec::new();
    collection.results(&search).unwrap().write_json(&mut whole).unwrap();
    let hits = String::from_utf8(whole).unwrap().find("\"hits\"").unwrap();
    let mut results = collection.results(&search).unwrap();
    let mut little = vec![0; hits + 20];
    let error = results.write_json(&mut little.as_mut_slice()).unwrap_err();
    assert!(matches!(error, ResultError::Write(_)));
    assert!(results.next().unwrap().is_ok(), "documents were left");
}
