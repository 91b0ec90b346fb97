//! The network against `fastlane-model`, which is compared with PyTorch.

use std::path::{Path, PathBuf};

use burn_tensor::activation;
use fastlane_engine::Encoder as _;
use fastlane_model::checkpoint::Checkpoint;
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

/// The encoder that tests compare with PyTorch, if somebody has fetched it.
fn minilm() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/models/all-MiniLM-L6-v2");
    let found = path.join("model.safetensors").exists();
    if !found {
        println!("SKIPPED: {} is absent, see scripts/fetch-minilm", path.display());
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
        let (lanes, lane_spans, _) = network.search_lanes(&queries, 1);
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

#[test]
fn what_is_written_is_what_was_learned() {
    let twins = Twins::new(&golden("lanes-split"), split());
    let folder = tempfile::tempdir().unwrap();
    for system in [System::FastlaneSoft, System::Fastlane, System::Dual, System::SumMax] {
        let settings = ArchitectureSettings {
            system,
            towers: Some(TowerSettings::Split),
            document_lanes: if system == System::Fastlane { 2 } else { 0 },
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
        assert_eq!(read.model.lengths(), (20, 30));
    }
}
