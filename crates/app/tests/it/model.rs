//! Tiny checkpoints: random weights from `model`'s golden outputs, and a vocabulary of 72 tokens.

use std::path::Path;

use fastlane_model::checkpoint::{
    Blueprint, LaneKind, NamedTensor, RouterConfig, RouterInput, Tensors, TextSettings, TowerParts,
    WeightType, write,
};
use fastlane_model::{Activation, Architecture, BertFamily};

use crate::fastlane::Folder;

const CONFIG: &[u8] = include_bytes!("../../../model/tests/golden/tiny/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../../model/tests/golden/tiny/model.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../model/tests/fixtures/tokenizer.json");

/// The length of a state.
const HIDDEN: usize = 48;

/// A folder with files and two models: `plain` is an encoder alone, `routed` has a router.
///
/// Token views of `routed` have 16 numbers, lane views 12; a document has two of these and the
/// mean.
pub(crate) fn with_models(files: &[(&str, &[u8])]) -> Folder {
    let plain = [
        ("plain/config.json", CONFIG),
        ("plain/model.safetensors", WEIGHTS),
        ("plain/tokenizer.json", TOKENIZER),
    ];
    let folder = Folder::new(&[files, &plain].concat());
    write_routed(&folder.path().join("routed"), &folder.path().join("plain/model.safetensors"));
    folder
}

/// The encoder of some weights, with projections and a router.
fn write_routed(path: &Path, weights: &Path) {
    let tensors = Tensors::open(weights).unwrap();
    let of_encoder = |name: &String| !name.contains("pooler") && !name.contains("position_ids");
    let tensors: Vec<_> = (tensors.names().into_iter().filter(of_encoder))
        .map(|name| {
            let shape = tensors.shape(&name).unwrap().to_vec();
            let values = tensors.read(&name, &shape).unwrap();
            (name, shape, values)
        })
        .collect();
    let dense = numbers(&[16, HIDDEN]);
    let router = router();
    let config = RouterConfig {
        input: RouterInput::States,
        attention: 8,
        lane: LaneKind::Hard,
        lanes: None,
        document_lanes: Some(2),
        document_windows: false,
        lane_dim: Some(12),
    };
    let architecture = architecture();
    let blueprint = Blueprint {
        document: TowerParts {
            architecture: &architecture,
            weights: tensors.iter().map(|(name, shape, v)| named(name, shape, v)).collect(),
            dense: vec![named("linear.weight", &[16, HIDDEN], &dense)],
        },
        query: None,
        tokenizer: TOKENIZER,
        settings: TextSettings { query_length: 16, document_length: 24, ..TextSettings::default() },
        router: Some((
            config,
            router.iter().map(|(name, shape, v)| named(name, shape, v)).collect(),
        )),
        weight_type: WeightType::F32,
    };
    write(path, &blueprint).unwrap();
}

/// The tensors of a router.
fn router() -> [(&'static str, Vec<usize>, Vec<f32>); 12] {
    [
        ("attention.query.weight", vec![8, HIDDEN]),
        ("attention.query.bias", vec![8]),
        ("attention.key.weight", vec![8, HIDDEN]),
        ("attention.key.bias", vec![8]),
        ("attention.value.weight", vec![8, HIDDEN]),
        ("attention.value.bias", vec![8]),
        ("dense.weight", vec![1, 8 + HIDDEN]),
        ("dense.bias", vec![1]),
        ("lanes.slots", vec![2, 8]),
        ("lanes.key.weight", vec![8, HIDDEN]),
        ("lane_query.weight", vec![12, HIDDEN]),
        ("lane_document.weight", vec![12, HIDDEN]),
    ]
    .map(|(name, shape)| {
        let values = numbers(&shape);
        (name, shape, values)
    })
}

/// What `config.json` of the golden outputs says.
fn architecture() -> Architecture {
    Architecture {
        family: BertFamily::BERT.into(),
        layers: 3,
        hidden: HIDDEN,
        heads: 3,
        intermediate: 80,
        vocabulary: 101,
        positions: 512,
        token_types: 2,
        epsilon: 1e-12,
        activation: Activation::Gelu,
    }
}

fn named<'a>(name: &str, shape: &[usize], values: &'a [f32]) -> NamedTensor<'a> {
    NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values }
}

/// Numbers between -1 and 1 that look random and are always the same.
fn numbers(shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    (0..count).map(|n| ((n * 7919 + 13) % 2003) as f32 / 1001.5 - 1.0).collect()
}
