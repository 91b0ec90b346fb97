//! RoBERTa and XLM-RoBERTa. `encoders/tests.rs` compares their states with PyTorch's.

use std::path::Path;

use fastlane_engine::Encoder as _;
use fastlane_model::checkpoint::{Checkpoint, WeightType};
use fastlane_model::{Architecture, Model, Settings};
use serde_json::{Value, json};

use crate::checkpoints::{Encoder, put_json, tiny, told};

/// Writes a tiny checkpoint with 40 rows of positions.
fn put(folder: &Path, changes: &Value) {
    let encoder = Encoder::new(Architecture { token_types: 1, ..tiny() });
    encoder.put(folder, "roberta.");
    let mut config = encoder.config(&json!({
        "model_type": "xlm-roberta", "architectures": ["XLMRobertaModel"], "pad_token_id": 3,
    }));
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    put_json(folder, "config.json", &config);
}

fn open(changes: &Value) -> Checkpoint {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), changes);
    Checkpoint::open(folder.path()).unwrap()
}

fn refused(changes: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), changes);
    told(&Checkpoint::open(folder.path()).unwrap_err(), folder.path())
}

#[test]
fn both_are_recognised() {
    let cases = [
        (json!({ "model_type": "roberta" }), "roberta"),
        (json!({ "model_type": null, "architectures": ["RobertaModel"] }), "roberta"),
        (json!({}), "xlm-roberta"),
        (json!({ "model_type": null }), "xlm-roberta"),
    ];
    for (changes, wanted) in cases {
        let found = open(&changes);
        assert_eq!(found.query.architecture.family.name(), wanted);
        assert_eq!((found.query.prefix, found.query.architecture.token_types), ("roberta.", 1));
    }
}

#[test]
fn texts_have_the_positions_after_the_padding_token() {
    for (padding, positions) in [(json!(3), 36), (json!(0), 39), (json!(null), 38)] {
        let found = open(&json!({ "pad_token_id": padding }));
        assert_eq!(found.query.architecture.positions, positions);
        assert_eq!((found.query_side.length, found.document_side.length), (positions, positions));
    }
}

#[test]
fn the_padding_token_is_part_of_the_fingerprint() {
    let print = |changes: &Value| open(changes).fingerprint().unwrap();
    let same = print(&json!({}));
    assert_eq!(same, print(&json!({})));
    assert_ne!(same, print(&json!({ "pad_token_id": 2 })));
    assert_ne!(same, print(&json!({ "model_type": "roberta" })));
}

#[test]
fn what_is_converted_is_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    put(&theirs, &json!({}));
    let checkpoint = Checkpoint::open(&theirs).unwrap();
    checkpoint.convert(&ours, WeightType::F32).unwrap();
    let config = std::fs::read_to_string(ours.join("config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    let keys = ["model_type", "architectures", "max_position_embeddings", "pad_token_id"];
    let wanted = [json!("xlm-roberta"), json!(["XLMRobertaModel"]), json!(40), json!(3)];
    assert_eq!(keys.map(|key| config[key].clone()), wanted);
    let converted = Checkpoint::open(&ours).unwrap();
    assert_eq!(converted.query.architecture, checkpoint.query.architecture);
    let [theirs, ours] =
        [&theirs, &ours].map(|path| Model::open(path, &Settings::default()).unwrap());
    let text = "the light of the ship ".repeat(9);
    let [theirs, ours] = [theirs, ours].map(|model| model.encode_query(&text).unwrap());
    assert_eq!((theirs.tokens.len(), theirs.views.values()), (36, ours.views.values()));
}

#[test]
fn too_few_positions_are_refused() {
    insta::assert_snapshot!(refused(&json!({ "max_position_embeddings": 4 })), @"`max_position_embeddings` is 4 in `config.json`, wanted more than 4");
    insta::assert_snapshot!(refused(&json!({ "max_position_embeddings": 514 })), @r"
    `config.json` says max_position_embeddings 514, but tensor `roberta.embeddings.position_embeddings.weight` of `model.safetensors` has 40
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(refused(&json!({ "pad_token_id": -1 })), @r"
    cannot parse `config.json`
    because: invalid value: integer `-1`, expected u32 at line 1 column 237
    ");
}
