//! Errors of damaged FastLane checkpoints, and of checkpoints that cannot be written.

use std::path::Path;

use fastlane_model::checkpoint::{
    Blueprint, Checkpoint, LaneKind, NamedTensor, RouterConfig, RouterInput, TextSettings,
    TowerParts, WeightType, write,
};
use proptest::prelude::*;
use serde_json::json;

use crate::checkpoints::{Encoder, TOKENIZER, matrix, put, put_dense, put_json, tiny, told};

/// The error of a FastLane checkpoint after `change`.
fn ours(change: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let (encoder, dense) = (Encoder::new(tiny()), matrix(4, 6));
    write(&path, &blueprint(&encoder, &dense)).unwrap();
    change(&path);
    told(&Checkpoint::open(&path).unwrap_err(), &path)
}

fn blueprint<'a>(encoder: &'a Encoder, dense: &'a [f32]) -> Blueprint<'a> {
    let parts = || TowerParts {
        architecture: &encoder.architecture,
        weights: encoder
            .tensors
            .iter()
            .map(|(name, shape, values)| NamedTensor {
                name: name.clone(),
                shape: shape.clone(),
                values,
            })
            .collect(),
        dense: vec![NamedTensor { name: String::new(), shape: vec![4, 6], values: dense }],
    };
    let config = RouterConfig {
        input: RouterInput::Views,
        attention: 4,
        lane: LaneKind::Hard,
        lanes: None,
        document_lanes: None,
        document_windows: false,
        lane_dim: None,
    };
    Blueprint {
        document: parts(),
        query: Some(parts()),
        tokenizer: TOKENIZER.as_bytes(),
        settings: TextSettings { document_length: 40, ..TextSettings::default() },
        router: Some((config, Vec::new())),
        weight_type: WeightType::F32,
    }
}

#[test]
fn a_checkpoint_of_ours_misses_its_parts() {
    let without =
        |part: &'static str| ours(move |path| std::fs::remove_dir_all(path.join(part)).unwrap());
    insta::assert_snapshot!(without("2_FastLaneRouter"), @r"
    `DIR` is a fastlane checkpoint without its `2_FastLaneRouter`
    hint: another program has rewritten it: restore the directory, or remove the key `fastlane` from config_sentence_transformers.json to use it without
    ");
    insta::assert_snapshot!(without("query"), @r"
    `DIR` is a fastlane checkpoint without its `query`
    hint: another program has rewritten it: restore the directory, or remove the key `fastlane` from config_sentence_transformers.json to use it without
    ");
}

#[test]
fn towers_that_do_not_match_are_refused() {
    insta::assert_snapshot!(ours(|path| {
        put_dense(path, "query/1_Dense", (6, 5), false);
    }), @"`out_features` is 5 in `query`, wanted 4, as for documents");
}

#[test]
fn a_newer_format_is_refused() {
    insta::assert_snapshot!(ours(|path| {
        let name = "config_sentence_transformers.json";
        let text = std::fs::read_to_string(path.join(name)).unwrap();
        put(&path.join(name), text.replace("\"format\": 1", "\"format\": 2").as_bytes());
    }), @r"
    `config_sentence_transformers.json` has format 2, this program reads 1
    hint: open it with the newer version of fastlane that wrote it
    ");
}

#[test]
fn a_router_without_attention_is_refused() {
    insta::assert_snapshot!(ours(|path| {
        let config = json!({ "input": "views", "attention": 0 });
        put_json(path, "2_FastLaneRouter/config.json", &config);
    }), @"`attention` is 0 in `2_FastLaneRouter/config.json`, wanted at least 1");
    insta::assert_snapshot!(ours(|path| {
        let config = json!({ "input": "views", "attention": 4, "lanes": 0 });
        put_json(path, "2_FastLaneRouter/config.json", &config);
    }), @"`lanes` is 0 in `2_FastLaneRouter/config.json`, wanted at least 1");
    insta::assert_snapshot!(ours(|path| {
        let config = json!({ "input": "pixels", "attention": 4 });
        put_json(path, "2_FastLaneRouter/config.json", &config);
    }), @r"
    cannot parse `2_FastLaneRouter/config.json`
    because: unknown variant `pixels`, expected `states` or `views` at line 1 column 31
    ");
}

#[test]
fn nothing_is_written_over_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, dense) = (Encoder::new(tiny()), matrix(4, 6));
    let path = folder.path().join("model");
    write(&path, &blueprint(&encoder, &dense)).unwrap();
    let error = write(&path, &blueprint(&encoder, &dense)).unwrap_err();
    insta::assert_snapshot!(told(&error, folder.path()), @r"
    `model` already exists, wanted a new directory
    hint: choose another name, or remove it first
    ");
}

#[test]
fn a_checkpoint_that_cannot_be_finished_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, dense) = (Encoder::new(tiny()), [f32::NAN; 24]);
    let path = folder.path().join("model");
    let error = write(&path, &blueprint(&encoder, &dense)).unwrap_err();
    let told = told(&error, folder.path());
    // the temporary directory has a random name
    let (draft, rest) = told.split_once(".partial/").unwrap();
    assert!(draft.starts_with("tensor `linear.weight` of `.model"), "{draft}");
    insta::assert_snapshot!(rest, @r"
    1_Dense/model.safetensors` has NaN at position 0
    hint: training diverged: use an earlier checkpoint
    ");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), cut in 0_usize..4000) {
        let folder = tempfile::tempdir().unwrap();
        Encoder::new(tiny()).put(folder.path(), "");
        let path = folder.path().join("model.safetensors");
        let mut damaged = std::fs::read(&path).unwrap();
        let end = damaged.len().min(cut + bytes.len());
        damaged.splice(cut.min(end)..end, bytes.iter().copied());
        put(&path, &damaged);
        if let Ok(found) = Checkpoint::open(folder.path()) {
            for name in found.query.weights.names() {
                let shape = found.query.weights.shape(&name).unwrap().to_vec();
                drop(found.query.weights.read(&name, &shape));
            }
        }
    }
}
