//! Whole checkpoints: the views of texts with a router, lanes and split towers.
//!
//! The expected numbers are PyTorch's, made by `golden/make_lanes.py`.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use fastlane_engine::{DocumentViews, Encoder as _, QueryViews, Token, TokenMatrix};
use fastlane_model::{Layout, Model, NotFinite, OpenError, Precision, Settings};
use serde::Deserialize;

use crate::checkpoints::{Encoder, put_tensors, tiny};
use crate::minilm::minilm;
use crate::shared_data::shared_data;

#[derive(Deserialize)]
struct Golden {
    text: String,
    query: GoldenQuery,
    document: GoldenDocument,
}

#[derive(Deserialize)]
struct GoldenQuery {
    ids: Vec<u32>,
    views: Vec<f32>,
    alpha: Vec<f32>,
    lane_views: Option<Vec<f32>>,
    soft_lane: Vec<f32>,
}

#[derive(Deserialize)]
struct GoldenDocument {
    ids: Vec<u32>,
    views: Vec<f32>,
    lane_views: Option<Vec<f32>>,
}

#[test]
fn split_towers_a_router_of_states_and_document_lanes_are_as_in_pytorch() {
    let portable = open("lanes-split", Precision::Portable);
    assert_eq!((portable.layout(), portable.dim(), portable.lane_dim()), (Layout::FastLane, 8, 8));
    assert!(portable.has_router() && portable.lengths() == (12, 20));
    assert_golden("lanes-split", &portable, 1e-4);
    assert_golden("lanes-split", &open("lanes-split", Precision::F32), 1e-4);
}

#[test]
fn tied_towers_a_router_of_views_and_a_projection_for_lanes_are_as_in_pytorch() {
    let portable = open("lanes-tied", Precision::Portable);
    assert_eq!((portable.dim(), portable.lane_dim()), (8, 5));
    assert_golden("lanes-tied", &portable, 1e-4);
    assert_golden("lanes-tied", &open("lanes-tied", Precision::F32), 1e-4);
}

#[test]
fn bf16_is_near_pytorch() {
    match Model::open(golden("lanes-split"), &settings(Precision::Bf16, 1, 8)) {
        Ok(model) => assert_golden("lanes-split", &model, 0.03),
        Err(OpenError::Instructions) => println!("skipped: this CPU has no bf16"),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn bf16_is_near_f32_on_real_passages() {
    let test = "bf16_is_near_f32_on_real_passages";
    let Some(directory) = minilm(test) else { return };
    let Some(collection) = shared_data("scifact", test) else { return };
    let lines = std::fs::read_to_string(collection.join("corpus.jsonl")).unwrap();
    let text = |line| serde_json::from_str::<Passage>(line).unwrap().text;
    let texts: Vec<String> = lines.lines().take(40).map(text).collect();
    let views = |precision| {
        let model = Model::open(&directory, &settings(precision, 2, 64));
        model.map(|model| encode_documents(&model, &texts))
    };
    let bf16 = match views(Precision::Bf16) {
        Err(OpenError::Instructions) => return println!("skipped: this CPU has no bf16"),
        views => views.unwrap(),
    };
    let f32 = views(Precision::F32).unwrap();
    let rows = |views: &[DocumentViews]| -> Vec<Vec<f32>> {
        views.iter().flat_map(|views| views.views.rows().map(<[f32]>::to_vec)).collect()
    };
    let cosine = |(a, b): (Vec<f32>, Vec<f32>)| -> f64 {
        a.iter().zip(&b).map(|(a, b)| f64::from(a * b)).sum()
    };
    let cosines: Vec<f64> = rows(&bf16).into_iter().zip(rows(&f32)).map(cosine).collect();
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    let least = cosines.iter().copied().fold(1.0, f64::min);
    assert!(mean >= 0.9999 && least >= 0.999, "cosine {mean} on average, {least} at worst");
}

#[derive(Deserialize)]
struct Passage {
    text: String,
}

#[test]
fn the_same_text_gives_the_same_bits_whatever_threads_and_window() {
    // texts of different lengths, repeated, and more of them than a window has
    let texts: Vec<String> =
        (0..23).map(|n| "the light of the ship, ".repeat(n * 7 % 5) + &n.to_string()).collect();
    for precision in [Precision::Portable, Precision::F32, Precision::Auto] {
        let alone = open_with("lanes-split", &settings(precision, 1, 1));
        let documents = encode_documents(&alone, &texts);
        let queries: Vec<QueryViews> = encode_queries(&alone, &texts);
        for (threads, window) in [(1, 4), (2, 1), (2, 5), (3, 256)] {
            let model = open_with("lanes-split", &settings(precision, threads, window));
            assert!(documents == encode_documents(&model, &texts), "{threads} {window}");
            assert!(queries == encode_queries(&model, &texts), "{threads} {window}");
        }
    }
}

#[test]
fn a_query_does_not_wait_for_documents() {
    for threads in [1, 2] {
        let model = open_with("lanes-split", &settings(Precision::Auto, threads, 4000));
        let texts = (0..4000).map(|_| "nine ships seen ".repeat(30));
        let mut documents = model.encode_documents(Box::new(texts));
        documents.next().unwrap().unwrap();
        let began = Instant::now();
        model.encode_query("light house").unwrap();
        let query = began.elapsed();
        let rest = documents.map(Result::unwrap).count();
        let all = began.elapsed();
        assert!(rest > 3000 && query < all / 2, "{threads}: {query:?} of {all:?}");
    }
}

#[test]
fn no_more_texts_are_taken_than_a_window_holds() {
    let model = open_with("lanes-tied", &settings(Precision::F32, 2, 5));
    let taken = AtomicUsize::new(0);
    let texts = (0..23).map(|n| {
        taken.fetch_add(1, Ordering::Relaxed);
        format!("ship {n}")
    });
    for (given, views) in (1..).zip(model.encode_documents(Box::new(texts))) {
        assert!(views.is_ok());
        let ahead = taken.load(Ordering::Relaxed) - given;
        assert!(ahead < 5, "{ahead} texts wait after {given}");
    }
    assert_eq!(taken.into_inner(), 23);
}

#[test]
fn without_a_router_all_tokens_carry_alike() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    let model = Model::open(folder.path(), &settings(Precision::Portable, 1, 1)).unwrap();
    assert!(!model.has_router());
    let views = model.encode_query("the ship").unwrap();
    assert_eq!(views.alpha, [0.25; 4]);
    assert_eq!(views.lane_views, None);
    let document = encode_documents(&model, &["the ship".to_owned()]);
    // one tower, no prefixes: queries and documents are encoded the same way
    assert_eq!((&document[0].views, &document[0].lane_views), (&views.views, &None));
}

#[test]
fn a_router_with_other_tensors_is_refused() {
    let refusals = [
        ("attention.key.bias", None, "no tensor"),
        ("dense.weight", Some(vec![1, 16]), "[1, 16]"),
        ("lanes.slots", Some(vec![4, 5]), "[4, 5]"),
    ];
    for (name, shape, wanted) in refusals {
        let folder = tempfile::tempdir().unwrap();
        copy(&golden("lanes-split"), folder.path());
        let others = router_tensors().into_iter().filter(|(other, _)| *other != name);
        let tensors: Vec<_> = others
            .chain(shape.map(|shape| (name, shape)))
            .map(|(name, shape)| (name.to_owned(), shape.clone(), ones(&shape)))
            .collect();
        let path = folder.path().join("2_FastLaneRouter/model.safetensors");
        put_tensors(&path, &tensors, str::to_owned);
        let error = Model::open(folder.path(), &settings(Precision::Portable, 1, 1)).unwrap_err();
        let said = error.to_string();
        for part in ["2_FastLaneRouter/model.safetensors", name, wanted] {
            assert!(said.contains(part), "no {part} in: {said}");
        }
    }
}

#[test]
fn what_is_no_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    copy(&golden("lanes-split"), folder.path());
    let large = |name: &str, shape: &[usize]| match name {
        "dense.weight" => vec![3e38; shape.iter().product()],
        _ => ones(shape),
    };
    let tensors: Vec<_> = (router_tensors().into_iter())
        .map(|(name, shape)| (name.to_owned(), shape.clone(), large(name, &shape)))
        .collect();
    put_tensors(&folder.path().join("2_FastLaneRouter/model.safetensors"), &tensors, str::to_owned);
    let model = Model::open(folder.path(), &settings(Precision::Portable, 1, 1)).unwrap();
    let error = model.encode_query("the ship").unwrap_err();
    assert_eq!(error.source.to_string(), "alpha has the value NaN, wanted finite numbers");
    assert!(error.source.downcast_ref::<NotFinite>().unwrap().hint().contains("checkpoint"));
}

fn ones(shape: &[usize]) -> Vec<f32> {
    vec![1.0; shape.iter().product()]
}

/// The tensors of the router of `lanes-split`, for states of 12 and 20 numbers.
fn router_tensors() -> Vec<(&'static str, Vec<usize>)> {
    vec![
        ("attention.query.weight", vec![5, 12]),
        ("attention.query.bias", vec![5]),
        ("attention.key.weight", vec![5, 12]),
        ("attention.key.bias", vec![5]),
        ("attention.value.weight", vec![5, 12]),
        ("attention.value.bias", vec![5]),
        ("dense.weight", vec![1, 17]),
        ("dense.bias", vec![1]),
        ("lanes.slots", vec![3, 5]),
        ("lanes.key.weight", vec![5, 20]),
    ]
}

fn assert_golden(name: &str, model: &Model, slack: f32) {
    let texts: Vec<Golden> =
        serde_json::from_slice(&std::fs::read(golden(name).join("texts.json")).unwrap()).unwrap();
    assert_eq!(texts.len(), 4);
    for Golden { text, query, document } in texts {
        let found = model.encode_query(&text).unwrap();
        assert_eq!(ids(&found.tokens), query.ids, "{text}");
        assert_close(found.views.values(), &query.views, slack);
        assert_close(&found.alpha, &query.alpha, slack);
        assert_close_lanes(found.lane_views.as_ref(), query.lane_views, slack);
        assert_close(&found.soft_lane, &query.soft_lane, slack);

        let found = encode_documents(model, &[text]).remove(0);
        assert_eq!(ids(&found.tokens), document.ids);
        assert_close(found.views.values(), &document.views, slack);
        assert_close_lanes(found.lane_views.as_ref(), document.lane_views, slack);
    }
}

fn assert_close_lanes(found: Option<&TokenMatrix>, wanted: Option<Vec<f32>>, slack: f32) {
    assert_eq!(found.is_some(), wanted.is_some());
    found.iter().zip(wanted).for_each(|(found, wanted)| {
        assert_close(found.values(), &wanted, slack);
    });
}

fn assert_close(found: &[f32], wanted: &[f32], slack: f32) {
    assert_eq!(found.len(), wanted.len());
    let furthest = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest < slack, "{furthest}");
}

fn ids(tokens: &[Token]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

fn encode_documents(model: &Model, texts: &[String]) -> Vec<DocumentViews> {
    let texts = Box::new(texts.iter().cloned());
    model.encode_documents(texts).collect::<Result<_, _>>().unwrap()
}

fn encode_queries(model: &Model, texts: &[String]) -> Vec<QueryViews> {
    texts.iter().map(|text| model.encode_query(text).unwrap()).collect()
}

fn open(name: &str, precision: Precision) -> Model {
    open_with(name, &settings(precision, 1, 8))
}

fn open_with(name: &str, settings: &Settings) -> Model {
    Model::open(golden(name), settings).unwrap()
}

fn settings(precision: Precision, threads: usize, window: usize) -> Settings {
    let [threads, window] = [threads, window].map(|count| NonZero::new(count).unwrap());
    Settings { precision, threads, window, layers: None }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(std::fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

#[test]
fn models_keep_the_contract_of_encoders() {
    for name in ["lanes-split", "lanes-tied"] {
        let model = open(name, Precision::Portable);
        let long = "nine ships ".repeat(60);
        let texts = ["light", "the light of the harbour", "größe, 3.5!", &long];
        fastlane_engine::check_encoder(&model, &texts)
            .unwrap_or_else(|broken| panic!("{name}: {broken}"));
    }
}
