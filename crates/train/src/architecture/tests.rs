//! The network against `fastlane-model`, which is compared with PyTorch.

use std::path::{Path, PathBuf};

use burn_tensor::activation;
use fastlane_engine::Encoder as _;
use fastlane_model::checkpoint::{Checkpoint, NamedTensor, WeightType, write_tensors};
use fastlane_model::{Model, Precision, Settings};

use super::*;
use crate::backend::{Cpu, Dropout, Spans, alone};
use crate::data::TokenTable;
use crate::run::{ArchitectureSettings, Run, System, TowerSettings};

const TEXTS: [&str; 4] = [
    "who keeps the light",
    "A view of the lake, and of the house.",
    "a",
    "the keeper keeps what is seen; what is not seen he does not keep, nor does the light",
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden").join(name)
}

/// The encoder that tests compare with PyTorch, if it was downloaded.
fn minilm() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models/all-MiniLM-L6-v2");
    let found = path.join("model.safetensors").exists();
    if !found {
        println!("SKIPPED: {} is absent, see tools/model/fetch-minilm", path.display());
    }
    found.then_some(path)
}

/// A run whose architecture is that of a checkpoint.
fn run(model: &Path, architecture: ArchitectureSettings) -> Run {
    let text = "model = 'm'\n[[data]]\nkind = 'beir'\npath = 'd'";
    let run: Run = toml::from_str(text).unwrap();
    Run { model: model.to_owned(), architecture, ..run }
}

struct Twins {
    checkpoint: Checkpoint,
    model: Model,
    settings: ArchitectureSettings,
    parameters: Vec<Parameter>,
}

impl Twins {
    fn new(path: &Path, architecture: ArchitectureSettings) -> Self {
        let checkpoint = Checkpoint::open(path).unwrap();
        let run = run(path, architecture.clone());
        let starting = Starting { run: &run, checkpoint: &checkpoint, from: 0, states: &[] };
        let parameters = start(&starting).unwrap();
        Self { checkpoint, model: open(path), settings: architecture, parameters }
    }

    fn network(&self) -> Network<Cpu> {
        let mut skip: Vec<u32> = self.checkpoint.document_side.skip.iter().copied().collect();
        skip.sort_unstable();
        let frame = Frame {
            encoders: encoders(&self.checkpoint),
            from: 0,
            skip,
            settings: self.settings.clone(),
        };
        let weights =
            Weights::new(self.parameters.clone(), Default::default(), &Default::default());
        Network::new(&frame, &weights.tracked::<Cpu>(|_| false))
    }

    fn encode(&self, network: &Network<Cpu>, side: Side) -> Encoded<Cpu> {
        let how = match side {
            Side::Query => &self.checkpoint.query_side,
            Side::Document => &self.checkpoint.document_side,
        };
        let texts = TEXTS.map(str::to_owned);
        let table = TokenTable::new(&texts, &self.checkpoint.tokeniser, how).unwrap();
        let all = 0..TEXTS.len() as u32;
        let tokens = TokenRows::new(all.map(|text| (table.of(text), table.attended(text))));
        network.encode(side, Input { tokens, states: None }, Dropout::NONE)
    }

    /// Compares every view and every share of the router.
    fn compare(&self) {
        let _alone = alone();
        let network = self.network();
        let queries = self.encode(&network, Side::Query);
        let views = rows(&network.query_tokens(&queries), &queries.spans);
        let alpha = network.logits(&queries).map(|logits| {
            let longest = logits.dims()[1];
            let all = values(&activation::softmax(logits, 1));
            let row = |(text, span): (usize, std::ops::Range<usize>)| {
                all[text * longest..][..span.len()].to_vec()
            };
            queries.spans.iter().enumerate().map(row).collect::<Vec<_>>()
        });
        let (lanes, lane_spans, _) = network.search_lanes(&queries, 3);
        let lanes = rows(&lanes, &lane_spans);
        for (place, text) in TEXTS.iter().enumerate() {
            let wanted = self.model.encode_query(text).unwrap();
            close(&views[place], wanted.views.values(), "query views");
            if let Some(alpha) = &alpha {
                close(&alpha[place], &wanted.alpha, "alpha");
            }
            match self.settings.system {
                System::FastlaneSoft => close(&lanes[place], &wanted.soft_lane, "the soft lane"),
                System::Fastlane => {
                    let wanted = wanted.lane_views.as_ref().unwrap_or(&wanted.views);
                    close(&lanes[place], wanted.values(), "lane views");
                }
                _ => {}
            }
        }
        self.compare_documents(&network);
    }

    /// Compares the default lanes of the model with those that training measures.
    fn compare_usual(&self, lanes: usize) {
        let _alone = alone();
        let network = self.network();
        let queries = self.encode(&network, Side::Query);
        let (views, spans, weights) = network.search_lanes(&queries, lanes);
        let views = rows(&views, &spans);
        for ((text, span), views) in TEXTS.iter().zip(spans.iter()).zip(views) {
            let sum: f32 = weights[span.clone()].iter().sum();
            let dim = views.len() / span.len();
            let searches = span.zip(views.chunks(dim)).filter(|(row, _)| weights[*row] != 0.0);
            let (found_weights, found): (Vec<f32>, Vec<&[f32]>) =
                searches.map(|(row, view)| (weights[row] / sum, view)).unzip();
            let query = self.model.encode_query(text).unwrap();
            let mut wanted = query.searching(None);
            wanted.sort_by_key(|lane| lane.token);
            let wanted_views: Vec<&[f32]> = wanted.iter().map(|lane| lane.view).collect();
            close(&found.concat(), &wanted_views.concat(), "usual lanes");
            let wanted: Vec<f32> = wanted.iter().map(|lane| lane.weight).collect();
            close(&found_weights, &wanted, "weights of usual lanes");
        }
    }

    fn compare_documents(&self, network: &Network<Cpu>) {
        let documents = self.encode(network, Side::Document);
        let (views, spans) = network.document_tokens(&documents);
        let views = rows(&views, &spans);
        let lanes = network.document_lanes(&documents);
        let lanes = rows(&lanes.views, &lanes.spans);
        let texts = Box::new(TEXTS.iter().map(|text| (*text).to_owned()));
        for (place, wanted) in self.model.encode_documents(texts).enumerate() {
            let wanted = wanted.unwrap();
            close(&views[place], wanted.views.values(), "document views");
            let wanted = wanted.lane_views.as_ref().unwrap_or(&wanted.views);
            close(&lanes[place], wanted.values(), "document lanes");
        }
    }
}

fn open(path: &Path) -> Model {
    Model::open(path, &Settings { precision: Precision::F32, ..Settings::default() }).unwrap()
}

fn rows(table: &burn_tensor::Tensor<Cpu, 2>, spans: &Spans) -> Vec<Vec<f32>> {
    let (all, columns) = (values(table), table.dims()[1]);
    spans.iter().map(|span| all[span.start * columns..span.end * columns].to_vec()).collect()
}

fn close(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-4, "{what}: {found}, wanted {wanted}");
    }
}

fn split() -> ArchitectureSettings {
    ArchitectureSettings {
        system: System::FastlaneSoft,
        towers: Some(TowerSettings::Split),
        dim: 8,
        document_lanes: 3,
        document_windows: false,
        attention: 5,
        ..ArchitectureSettings::default()
    }
}

#[test]
fn split_towers_a_router_and_document_lanes_agree() {
    Twins::new(&golden("lanes-split"), split()).compare();
}

#[test]
fn the_base_encoder_agrees() {
    let Some(path) = minilm() else { return };
    let settings =
        ArchitectureSettings { system: System::SumMax, dim: 0, ..ArchitectureSettings::default() };
    Twins::new(&path, settings).compare();
}

/// The padding token, from which its positions are counted, is the last one of each text here.
#[test]
fn roberta_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["config.json", "model.safetensors"].map(|name| golden("tiny-roberta").join(name));
    let tokenizer = golden("lanes-split").join("tokenizer.json");
    for from in files.iter().chain([&tokenizer]) {
        std::fs::copy(from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    let settings =
        ArchitectureSettings { system: System::SumMax, dim: 0, ..ArchitectureSettings::default() };
    Twins::new(folder.path(), settings).compare();
}

#[test]
fn what_is_written_is_what_was_learned() {
    let twins = Twins::new(&golden("lanes-split"), split());
    let folder = tempfile::tempdir().unwrap();
    for system in
        [System::FastlaneSoft, System::Fastlane, System::Dual, System::StaticSplit, System::SumMax]
    {
        let settings = ArchitectureSettings {
            system,
            towers: Some(TowerSettings::Split),
            document_lanes: if system == System::Fastlane { 2 } else { 0 },
            document_windows: true,
            lane_dim: if system == System::Fastlane { 32 } else { 0 },
            start: crate::run::Start::Random,
            query_tokens: 20,
            document_tokens: 30,
            ..split()
        };
        let path = golden("lanes-split");
        let learned = Twins::new(&path, settings.clone());
        let written = folder.path().join(format!("{system:?}"));
        let tokenizer = std::fs::read(twins.checkpoint.tokeniser.path()).unwrap();
        let what = Export {
            checkpoint: &learned.checkpoint,
            tokenizer: &tokenizer,
            settings: &settings,
            lanes: 3,
            skip: Vec::new(),
        };
        export(&written, &what, &learned.parameters).unwrap();
        let read = Twins {
            model: open(&written),
            checkpoint: Checkpoint::open(&written).unwrap(),
            settings: learned.settings.clone(),
            parameters: learned.parameters.clone(),
        };
        read.compare();
        read.compare_usual(3);
        assert_eq!(read.model.lengths(), (20, 30));
    }
}

/// The tiny checkpoint with a bias after its map to views.
fn with_bias(folder: &Path) -> PathBuf {
    let (from, to) = (golden("lanes-split"), folder.join("biased"));
    for part in ["", "1_Dense", "2_FastLaneRouter", "query", "query/1_Dense"] {
        std::fs::create_dir_all(to.join(part)).unwrap();
        for entry in from.join(part).read_dir().unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    for dense in ["1_Dense", "query/1_Dense"] {
        let path = to.join(dense);
        let tensors = fastlane_model::checkpoint::Tensors::open(&path.join("model.safetensors"));
        let tensors = tensors.unwrap();
        let shape = tensors.shape("linear.weight").unwrap().to_vec();
        let weight = tensors.read("linear.weight", &shape).unwrap();
        let bias: Vec<f32> = (0..shape[0]).map(|at| 0.25 * at as f32 - 0.5).collect();
        let named =
            |name: &str, shape, values| NamedTensor { name: name.to_owned(), shape, values };
        let both = [
            named("linear.weight", shape.clone(), &weight),
            named("linear.bias", vec![shape[0]], &bias),
        ];
        write_tensors(&path.join("model.safetensors"), &both, WeightType::F32).unwrap();
        let config = path.join("config.json");
        let text = std::fs::read_to_string(&config).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["bias"] = true.into();
        crate::storage::put(&config, json.to_string().as_bytes()).unwrap();
    }
    to
}

#[test]
fn biases_of_maps_are_written_too() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ArchitectureSettings { query_tokens: 20, document_tokens: 30, ..split() };
    let learned = Twins::new(&with_bias(folder.path()), settings);
    let biases = learned.parameters.iter().filter(|it| it.name.ends_with("dense.0.linear.bias"));
    assert_eq!(biases.count(), 2);
    let tokenizer = std::fs::read(learned.checkpoint.tokeniser.path()).unwrap();
    let what = Export {
        checkpoint: &learned.checkpoint,
        tokenizer: &tokenizer,
        settings: &learned.settings,
        lanes: 1,
        skip: vec![".".to_owned()],
    };
    let written = folder.path().join("written");
    export(&written, &what, &learned.parameters).unwrap();
    let checkpoint = Checkpoint::open(&written).unwrap();
    Twins { model: open(&written), checkpoint, ..learned }.compare();
}

#[test]
fn both_sides_begin_with_the_same_random_maps() {
    let settings = ArchitectureSettings {
        start: crate::run::Start::Random,
        towers: None,
        lane_dim: 16,
        ..split()
    };
    let twins = Twins::new(&golden("lanes-tied"), settings);
    let of = |name: &str| &twins.parameters.iter().find(|it| it.name == name).unwrap().values;
    assert_eq!(of("router.lane_query.weight"), of("router.lane_document.weight"));
}

#[test]
fn learned_temperatures_begin_where_fixed_ones_stay() {
    for (system, wanted) in [(System::SumMax, 1.0_f32), (System::Fastlane, 0.05)] {
        let architecture =
            ArchitectureSettings { system, dim: 8, ..ArchitectureSettings::default() };
        let path = golden("lanes-tied");
        let mut run = run(&path, architecture);
        run.loss.learn_temperature = true;
        let checkpoint = Checkpoint::open(&path).unwrap();
        let starting = Starting { run: &run, checkpoint: &checkpoint, from: 0, states: &[] };
        let parameters = start(&starting).unwrap();
        let lane = parameters.iter().find(|it| it.name == "temperature.lane").unwrap();
        assert!((lane.values[0].exp() - wanted).abs() < 1e-6, "{system:?}: {lane:?}");
    }
}
