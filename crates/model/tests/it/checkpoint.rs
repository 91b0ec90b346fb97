//! Each layout, read from a tiny checkpoint of random weights.

use std::collections::HashSet;

use fastlane_model::checkpoint::{
    Blueprint, Checkpoint, Expansion, InputSettings, LaneKind, Layout, NamedTensor, RouterConfig,
    RouterInput, Tensors, TextSettings, Tokeniser, TowerFiles, TowerParts, WeightType, add_tokens,
    write, write_tensors,
};
use fastlane_model::{Activation, Architecture, BertFamily};
use serde_json::json;

use crate::checkpoints::{Encoder, TOKENIZER, matrix, put, put_dense, put_json, tiny};

#[test]
fn an_encoder_alone_is_plain() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    let found = Checkpoint::open(folder.path()).unwrap();
    assert_eq!((found.layout, found.query.prefix, found.query.dim()), (Layout::Plain, "", 6));
    assert_eq!(found.query.architecture, tiny());
    assert!(found.document.is_none() && found.router.is_none() && found.normalise);
    assert_eq!(found.query_side, InputSettings { length: 40, ..InputSettings::default() });
    assert_eq!(found.document_side, found.query_side);
}

#[test]
fn a_pooled_model_is_plain_and_keeps_its_length_and_prompts() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_json(
        folder.path(),
        "modules.json",
        &json!([
            { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
            { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" },
            { "idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize" },
        ]),
    );
    put_json(folder.path(), "sentence_bert_config.json", &json!({ "max_seq_length": 24 }));
    put_json(folder.path(), "tokenizer_config.json", &json!({ "model_max_length": 1e30 }));
    put_json(
        folder.path(),
        "config_sentence_transformers.json",
        &json!({
            "prompts": { "query": "query: ", "passage": "passage: ", "other": null },
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(found.layout, Layout::Plain);
    assert_eq!((found.query_side.prompt.as_str(), found.query_side.length), ("query: ", 24));
    assert_eq!(found.document_side.prompt, "passage: ");
}

#[test]
fn distilbert_has_its_own_names() {
    let folder = tempfile::tempdir().unwrap();
    let family = BertFamily::DISTILBERT.into();
    let architecture = Architecture { family, token_types: 0, ..tiny() };
    Encoder::new(architecture.clone()).put(folder.path(), "distilbert.");
    put_json(
        folder.path(),
        "config.json",
        &json!({
            "model_type": "distilbert", "dim": 6, "n_layers": 2, "n_heads": 3, "hidden_dim": 8,
            "activation": "gelu", "vocab_size": 72, "max_position_embeddings": 40,
            "sinusoidal_pos_embds": false,
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    assert_eq!((found.query.prefix, found.query.architecture), ("distilbert.", architecture));
}

#[test]
fn old_names_of_layer_norms_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut encoder = Encoder::new(tiny());
    for (name, _, _) in &mut encoder.tensors {
        *name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        *name = name.replace("LayerNorm.bias", "LayerNorm.beta");
    }
    encoder.put(folder.path(), "bert.");
    let found = Checkpoint::open(folder.path()).unwrap();
    let gamma = found.query.read("encoder.layer.1.output.LayerNorm.weight", &[6]).unwrap();
    assert_eq!(gamma, encoder.values("encoder.layer.1.output.LayerNorm.gamma"));
}

#[test]
fn activations_have_several_names() {
    let cases = [
        ("gelu", Activation::Gelu),
        ("gelu_new", Activation::GeluTanh),
        ("gelu_pytorch_tanh", Activation::GeluTanh),
        ("gelu_fast", Activation::GeluTanh),
        ("relu", Activation::Relu),
    ];
    let folder = tempfile::tempdir().unwrap();
    let encoder = Encoder::new(tiny());
    encoder.put(folder.path(), "");
    for (name, wanted) in cases {
        put_json(folder.path(), "config.json", &encoder.config(&json!({ "hidden_act": name })));
        let found = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(found.query.architecture.activation, wanted);
    }
}

#[test]
fn pylate_keeps_everything_in_one_file() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_pylate_modules(folder.path());
    put_json(
        folder.path(),
        "config_sentence_transformers.json",
        &json!({
            "model_type": "ColBERT", "prompts": {}, "similarity_fn_name": "MaxSim",
            "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12,
            "document_length": 20, "attend_to_expansion_tokens": true, "skiplist_words": [".", "€"],
            "do_query_expansion": true,
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    let id = |token| found.tokeniser.id(token).unwrap();
    assert_eq!((found.layout, found.query.dim(), found.normalise), (Layout::PyLate, 4, true));
    let expansion = Some(Expansion { token: id("[MASK]"), length: 12, attended: true });
    let query = InputSettings {
        prefix: Some(id("[Q] ")),
        length: 12,
        expansion,
        ..InputSettings::default()
    };
    assert_eq!(found.query_side, query);
    // a word that is not a token is not skipped, and neither is the unknown token
    let skip = HashSet::from([id(".")]);
    let document =
        InputSettings { prefix: Some(id("[D] ")), length: 20, skip, ..InputSettings::default() };
    assert_eq!(found.document_side, document);
}

#[test]
fn pylate_has_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let architecture = Architecture { positions: 200, ..tiny() };
    Encoder::new(architecture).put(folder.path(), "");
    put_pylate_modules(folder.path());
    put_json(
        folder.path(),
        "config_sentence_transformers.json",
        &json!({
            "model_type": "ColBERT", "query_prefix": null, "document_prefix": null,
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    assert_eq!((found.query_side.length, found.document_side.length), (32, 180));
    assert_eq!(found.query_side.expansion.map(|e| (e.length, e.attended)), Some((32, false)));
    // of ASCII punctuation the tiny vocabulary has . , ! ? - ' [ ]
    assert_eq!((found.query_side.skip.len(), found.document_side.skip.len()), (0, 8));
    assert_eq!(found.query_side.prefix, found.tokeniser.id("[Q] "));
}

#[test]
fn a_prefix_that_is_no_token_is_text() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_pylate_modules(folder.path());
    put_json(
        folder.path(),
        "config_sentence_transformers.json",
        &json!({
            "model_type": "ColBERT", "query_prefix": "query: ", "document_prefix": "[MASK] it: ",
            "prompts": { "query": "query: more " }, "document_length": 20,
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(found.query_side.prefix, None);
    assert_eq!(found.query_side.prompt, "query: more ");
    assert_eq!(found.document_side.prefix, found.tokeniser.id("[MASK]"));
    assert_eq!(found.document_side.prompt, "it: ");
}

#[test]
fn a_multi_vector_encoder_keeps_settings_with_its_modules() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_multi_vector(folder.path());
    put_json(
        folder.path(),
        "sentence_bert_config.json",
        &json!({
            "document_length": 30,
            "query_expansion": { "strategy": "fixed", "attend": false, "token": null, "length": 16 },
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    let id = |token| found.tokeniser.id(token).unwrap();
    assert_eq!((found.layout, found.query.dim()), (Layout::MultiVector, 4));
    assert!(found.normalise);
    let expansion = Some(Expansion { token: id("[MASK]"), length: 16, attended: false });
    let prompt = "[Q] ".to_owned();
    let query = InputSettings { prompt, length: 16, expansion, ..InputSettings::default() };
    assert_eq!(found.query_side, query);
    let (prompt, skip) = ("[D] ".to_owned(), HashSet::from([id("."), id("!")]));
    assert_eq!(
        found.document_side,
        InputSettings { prompt, length: 30, skip, ..InputSettings::default() }
    );
}

#[test]
fn an_expansion_may_be_a_floor_only() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_multi_vector(folder.path());
    put_json(
        folder.path(),
        "sentence_bert_config.json",
        &json!({
            "query_length": 24,
            "query_expansion": { "strategy": "min", "attend": true, "token": "[PAD]", "length": 10 },
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    let token = found.tokeniser.id("[PAD]").unwrap();
    assert_eq!(found.query_side.length, 24);
    assert_eq!(found.query_side.expansion, Some(Expansion { token, length: 10, attended: true }));
}

#[test]
fn stanford_keeps_the_projection_with_the_encoder() {
    let folder = tempfile::tempdir().unwrap();
    let mut encoder = Encoder::new(tiny());
    encoder.tensors.push(("linear.weight".to_owned(), vec![4, 6], matrix(4, 6)));
    encoder.put_under(folder.path(), |name| match name {
        "linear.weight" => name.to_owned(),
        _ => format!("bert.{name}"),
    });
    let config = encoder.config(&json!({ "architectures": ["HF_ColBERT"] }));
    put_json(folder.path(), "config.json", &config);
    put_json(
        folder.path(),
        "artifact.metadata",
        &json!({
            "query_token_id": "[MASK]", "doc_token_id": "[PAD]", "query_maxlen": 12, "doc_maxlen": 30,
            "dim": 4, "mask_punctuation": true, "attend_to_mask_tokens": false,
        }),
    );
    let found = Checkpoint::open(folder.path()).unwrap();
    let id = |token| found.tokeniser.id(token);
    assert_eq!(
        (found.layout, found.query.prefix, found.query.dim()),
        (Layout::Stanford, "bert.", 4)
    );
    assert_eq!((found.query_side.prefix, found.document_side.prefix), (id("[MASK]"), id("[PAD]")));
    assert_eq!((found.query_side.length, found.document_side.length), (12, 30));
    assert_eq!(found.document_side.skip.len(), 8);
    let dense = &found.query.dense[0];
    assert_eq!(dense.weights.read("linear.weight", &[4, 6]).unwrap(), matrix(4, 6));
}

#[test]
fn dense_modules_form_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    Encoder::new(tiny()).put(folder.path(), "");
    put_json(
        folder.path(),
        "modules.json",
        &json!([
            { "path": "", "type": "sentence_transformers.models.Transformer" },
            { "path": "1_Dense", "type": "pylate.models.Dense.Dense" },
            { "path": "2_Dense", "type": "sentence_transformers.base.modules.dense.Dense" },
        ]),
    );
    put_dense(folder.path(), "1_Dense", (6, 5), true);
    put_dense(folder.path(), "2_Dense", (5, 2), false);
    let found = Checkpoint::open(folder.path()).unwrap();
    let chain: Vec<_> = found.query.dense.iter().map(|d| (d.from, d.to, d.bias)).collect();
    assert_eq!(chain, [(6, 5, true), (5, 2, false)]);
}

#[test]
fn what_is_written_is_read_back() {
    let encoder = Encoder::new(tiny());
    let other = encoder.scaled(-0.5);
    let dense = matrix(4, 6);
    let router = matrix(3, 6);
    for (split, routed) in [(false, false), (false, true), (true, false), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let config = RouterConfig {
            input: RouterInput::States,
            attention: 3,
            lane: LaneKind::Soft,
            lanes: Some(3),
            document_lanes: Some(2),
            document_windows: true,
            lane_dim: None,
        };
        let blueprint = Blueprint {
            document: parts(&encoder, &dense),
            query: split.then(|| parts(&other, &dense)),
            tokenizer: TOKENIZER.as_bytes(),
            settings: settings(),
            router: routed.then(|| (config.clone(), vec![named("key.weight", &[3, 6], &router)])),
            weight_type: WeightType::F32,
        };
        write(&path, &blueprint).unwrap();
        let found = Checkpoint::open(&path).unwrap();
        assert_eq!((found.layout, found.normalise), (Layout::FastLane, false));
        assert_eq!(found.document.is_some(), split);
        assert_same(&found.query, if split { &other } else { &encoder });
        found.document.iter().for_each(|tower| assert_same(tower, &encoder));
        let read = found.router.map(|r| (r.config, r.weights.read("key.weight", &[3, 6]).unwrap()));
        assert_eq!(read, routed.then(|| (config, router.clone())));
        assert_eq!((found.query_side.length, found.document_side.length), (16, 24));
        assert_eq!((found.query_side.expansion, found.document_side.skip.len()), (None, 1));
        assert_eq!(entries(folder.path()), ["model"]);
    }
}

#[test]
fn what_is_converted_is_the_same_model() {
    let encoder = Encoder::new(tiny());
    let (dense, router) = (matrix(4, 6), matrix(3, 6));
    for (split, routed) in [(false, false), (true, true)] {
        let folder = tempfile::tempdir().unwrap();
        let config = RouterConfig {
            input: RouterInput::States,
            attention: 3,
            lane: LaneKind::Soft,
            lanes: None,
            document_lanes: Some(2),
            document_windows: true,
            lane_dim: Some(3),
        };
        let other = encoder.scaled(-0.5);
        let blueprint = Blueprint {
            query: split.then(|| parts(&other, &dense)),
            router: routed.then(|| (config, vec![named("key.weight", &[3, 6], &router)])),
            ..blueprint(&encoder, &dense)
        };
        let place = |name: &str| folder.path().join(name);
        write(&place("first"), &blueprint).unwrap();
        Checkpoint::open(&place("first"))
            .unwrap()
            .convert(&place("second"), WeightType::F32)
            .unwrap();
        assert_eq!(content(&place("first")), content(&place("second")));
    }
    // a model of another layout is converted to FastLane's without changes
    let folder = tempfile::tempdir().unwrap();
    let (theirs, ours) = (folder.path().join("theirs"), folder.path().join("ours"));
    std::fs::create_dir(&theirs).unwrap();
    encoder.put(&theirs, "bert.");
    let theirs = Checkpoint::open(&theirs).unwrap();
    theirs.convert(&ours, WeightType::F32).unwrap();
    let ours = Checkpoint::open(&ours).unwrap();
    assert_eq!((theirs.layout, ours.layout), (Layout::Plain, Layout::FastLane));
    for (name, shape) in theirs.query.architecture.tensors() {
        let read = |checkpoint: &Checkpoint| checkpoint.query.read(&name, &shape).unwrap();
        assert_eq!(read(&theirs), read(&ours), "{name}");
    }
    assert_eq!(
        (&ours.query_side, &ours.document_side),
        (&theirs.query_side, &theirs.document_side)
    );
}

/// All files below a directory, by their names there.
fn content(path: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for name in entries(path) {
        let place = path.join(&name);
        match place.is_dir() {
            true => {
                let below = content(&place).into_iter();
                all.extend(below.map(|(other, bytes)| (format!("{name}/{other}"), bytes)));
            }
            false => all.push((name, std::fs::read(&place).unwrap())),
        }
    }
    all
}

#[test]
fn without_its_mark_ours_is_pylates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let (encoder, dense) = (Encoder::new(tiny()), matrix(4, 6));
    let query = Some(parts(&encoder, &dense));
    write(&path, &Blueprint { query, ..blueprint(&encoder, &dense) }).unwrap();
    // the query encoder alone does not have the key `fastlane`
    let query = Checkpoint::open(&path.join("query")).unwrap();
    assert_eq!((query.layout, query.query.dim()), (Layout::PyLate, 4));
    let ours = Checkpoint::open(&path).unwrap();
    assert_eq!((ours.query_side, ours.document_side), (query.query_side, query.document_side));
    let modules = std::fs::read_to_string(path.join("modules.json")).unwrap();
    assert!(!modules.contains("FastLane"));
}

#[test]
fn half_precision_is_near() {
    let found = through(WeightType::F16);
    for (found, wanted) in found.iter().zip(matrix(72, 6)) {
        assert!((found - wanted).abs() <= wanted.abs() / 2048.0 + 1e-7, "{found} for {wanted}");
    }
}

#[test]
fn int8_is_within_half_a_step_of_each_row() {
    let found = through(WeightType::Int8);
    let wanted = matrix(72, 6);
    for (found, wanted) in found.chunks(6).zip(wanted.chunks(6)) {
        let largest = wanted.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() <= largest / 127.0 * 0.5001, "{found} for {wanted}");
        }
    }
}

#[test]
fn int8_weights_hide_from_programs_that_cannot_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let (encoder, dense) = (Encoder::new(tiny()), matrix(4, 6));
    write(&path, &Blueprint { weight_type: WeightType::Int8, ..blueprint(&encoder, &dense) })
        .unwrap();
    assert!(!path.join("model.safetensors").exists());
    assert!(path.join("model.int8.safetensors").exists());
}

#[test]
fn numbers_of_every_type_are_read() {
    let folder = tempfile::tempdir().unwrap();
    // 1, -2 and 0.5 in each type, computed by hand
    let cases: [(&str, &[u8]); 3] = [
        ("F32", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f]),
        ("F16", &[0, 0x3c, 0, 0xc0, 0, 0x38]),
        ("BF16", &[0x80, 0x3f, 0, 0xc0, 0, 0x3f]),
    ];
    for (dtype, bytes) in cases {
        let path = folder.path().join(dtype);
        put(&path, &crate::checkpoints::safetensors("x", dtype, &[3], bytes));
        let tensors = Tensors::open(&path).unwrap();
        assert_eq!(tensors.read("x", &[3]).unwrap(), [1.0, -2.0, 0.5]);
        assert_eq!((tensors.shape("x"), tensors.names()), (Some(&[3][..]), vec!["x".to_owned()]));
        assert!(tensors.contains("x") && !tensors.contains("y"));
    }
}

#[test]
fn a_tensor_larger_than_the_buffer_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let values: Vec<f32> = (0..200_003_u32).map(|n| n as f32).collect();
    write_tensors(&path, &[named("x", &[200_003], &values)], WeightType::F32).unwrap();
    let tensors = Tensors::open(&path).unwrap();
    assert_eq!(tensors.read("x", &[200_003]).unwrap(), values);
}

#[test]
fn added_tokens_are_found_whole_and_get_the_next_ids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let names = ["[Q] ", "[X] ", "[MASK]", "[Y]"];
    let (changed, ids) = add_tokens(TOKENIZER.as_bytes(), &names).unwrap();
    // the first and the third exist already
    assert_eq!(ids, [70, 72, 4, 73]);
    put(&path, &changed);
    let tokeniser = Tokeniser::open(&path, 74).unwrap();
    let tokens = tokeniser
        .encode("[X] ship[Y]", &InputSettings { length: 9, ..InputSettings::default() })
        .unwrap();
    let ids: Vec<u32> = tokens.tokens[1..4].iter().map(|token| token.id).collect();
    assert_eq!(ids, [72, tokeniser.id("ship").unwrap(), 73]);
}

fn settings() -> TextSettings {
    let skip = vec![".".to_owned()];
    let (query_length, document_length) = (16, 24);
    TextSettings {
        query_length,
        document_length,
        skip,
        normalise: false,
        ..TextSettings::default()
    }
}

fn blueprint<'a>(encoder: &'a Encoder, dense: &'a [f32]) -> Blueprint<'a> {
    Blueprint {
        document: parts(encoder, dense),
        query: None,
        tokenizer: TOKENIZER.as_bytes(),
        settings: settings(),
        router: None,
        weight_type: WeightType::F32,
    }
}

fn parts<'a>(encoder: &'a Encoder, dense: &'a [f32]) -> TowerParts<'a> {
    let weights = encoder.tensors.iter();
    TowerParts {
        architecture: &encoder.architecture,
        weights: weights.map(|(name, shape, values)| named(name, shape, values)).collect(),
        dense: vec![
            named("linear.weight", &[4, 6], dense),
            named("linear.bias", &[4], &dense[..4]),
        ],
    }
}

fn named<'a>(name: &str, shape: &[usize], values: &'a [f32]) -> NamedTensor<'a> {
    NamedTensor { name: name.to_owned(), shape: shape.to_owned(), values }
}

fn assert_same(tower: &TowerFiles, encoder: &Encoder) {
    assert_eq!(tower.architecture, encoder.architecture);
    for (name, shape, values) in &encoder.tensors {
        assert_eq!(&tower.read(name, shape).unwrap(), values);
    }
    let dense = &tower.dense[0];
    assert_eq!(dense.weights.read("linear.weight", &[4, 6]).unwrap(), matrix(4, 6));
    assert!(dense.bias);
    assert_eq!(dense.weights.read("linear.bias", &[4]).unwrap(), matrix(4, 6)[..4]);
}

/// A matrix after writing and reading it.
fn through(weight_type: WeightType) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let values = matrix(72, 6);
    write_tensors(&path, &[named("x", &[72, 6], &values)], weight_type).unwrap();
    Tensors::open(&path).unwrap().read("x", &[72, 6]).unwrap()
}

fn entries(path: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(path).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn put_pylate_modules(folder: &std::path::Path) {
    put_json(
        folder,
        "modules.json",
        &json!([
            { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
            { "idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense" },
        ]),
    );
    put_dense(folder, "1_Dense", (6, 4), false);
}

fn put_multi_vector(folder: &std::path::Path) {
    let class = |name| format!("sentence_transformers.{name}");
    put_json(
        folder,
        "modules.json",
        &json!([
            { "path": "", "type": class("base.modules.transformer.Transformer") },
            { "path": "1_Dense", "type": class("base.modules.dense.Dense") },
            { "path": "2_MultiVectorMask",
              "type": class("multi_vector_encoder.modules.multi_vector_mask.MultiVectorMask") },
            { "path": "3_Normalize", "type": class("base.modules.normalize.Normalize") },
        ]),
    );
    put_dense(folder, "1_Dense", (6, 4), false);
    put_json(
        folder,
        "2_MultiVectorMask/config.json",
        &json!({
            "skiplist_words": [".", "!"], "skiplist_tasks": ["document"], "keep_only_token_ids": null,
        }),
    );
    put_json(
        folder,
        "3_Normalize/config.json",
        &json!({
            "module_input_name": "token_embeddings", "module_output_name": "token_embeddings",
        }),
    );
    put_json(
        folder,
        "config_sentence_transformers.json",
        &json!({
            "model_type": "MultiVectorEncoder", "similarity_fn_name": "maxsim",
            "prompts": { "query": "[Q] ", "document": "[D] " }, "default_prompt_name": null,
        }),
    );
}
