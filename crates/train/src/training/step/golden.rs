//! Ten steps against PyTorch: see `tests/golden/make_losses.py`.

use std::path::Path;

use fastlane_model::checkpoint::Checkpoint;
use serde::Deserialize;

use super::*;
use crate::architecture::{Frame, Starting, TokenRows, encoders, start};
use crate::backend::{Cpu, alone};
use crate::loss::Relation;
use crate::training::optimiser::Optimiser;

#[derive(Deserialize)]
struct Golden {
    batches: Vec<Recorded>,
    soft: Vec<f64>,
    mixture: Vec<f64>,
    gumbel: Vec<f64>,
}

#[derive(Deserialize)]
struct Recorded {
    queries: Vec<Vec<u32>>,
    documents: Vec<Vec<u32>>,
    relations: Vec<Vec<u8>>,
    teacher: Vec<Vec<Option<f32>>>,
}

/// The settings that all three runs share.
const RUN: &str = "model = 'm'
architecture = { towers = 'split', dim = 8, document_lanes = 3, document_windows = false, attention = 5, dropout = 0.0 }
data = [{ kind = 'beir', path = 'd' }]
optimiser = { rate = 1e-3 }
schedule = { steps = 10, warm_up = 0.2, decay = 'linear' }
";
const TEACHER: &str = "teacher = { weight = 0.5 }, ";

fn run(system: &str, loss: &str, router: &str) -> Run {
    let text = RUN.replace("architecture = {", &format!("architecture = {{ system = '{system}',"));
    let loss = format!("loss = {{ {loss}sum_max = 1.0, temperature = 0.2 }}\n");
    toml::from_str(&format!("{text}{loss}{router}")).unwrap()
}

/// The losses of the recorded batches, each after the steps before it.
fn losses(run: &Run, batches: &[Recorded]) -> Vec<f64> {
    let _alone = alone();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
    let checkpoint = Checkpoint::open(&path).unwrap();
    let starting = Starting { run, checkpoint: &checkpoint, from: 0, states: &[] };
    let parameters = start(&starting).unwrap();
    let skip = checkpoint.document_side.skip.iter().copied().collect();
    let encoders = encoders(&checkpoint);
    let frame = Frame { settings: run.architecture.clone(), encoders, from: 0, skip };
    let mut weights = Weights::new(parameters, Default::default(), &Default::default());
    let mut optimiser = Optimiser::new(&run.optimiser, &weights, &frame.encoders[1]);
    let step = |(step, recorded): (u32, &Recorded)| {
        let tracked = weights.tracked::<Cpu>(|_| true);
        let network = Network::new(&frame, &tracked);
        let losses = Losses { run, step, seed: hash(hash(run.seed, step), 0) };
        let known = recorded.teacher.concat();
        let known: Vec<f32> = known.iter().map(|score| score.unwrap_or(f32::NAN)).collect();
        let pair = (&network, &tracked);
        let teachers = Teachers { scores: Some(known), ..Teachers::default() };
        let (terms, found) =
            gradients(&losses, pair, recorded.texts(), &recorded.batch(), &teachers);
        let rate = schedule::rate(&run.schedule, step);
        optimiser.step::<Cpu>(&mut weights, found, rate);
        terms.loss
    };
    (0..).zip(batches).map(step).collect()
}

impl Recorded {
    fn texts(&self) -> Texts<Cpu> {
        let input = |texts: &[Vec<u32>]| Input {
            tokens: TokenRows::new(texts.iter().map(|ids| (ids.as_slice(), ids.len()))),
            states: None,
        };
        Texts { queries: input(&self.queries), documents: input(&self.documents) }
    }

    fn batch(&self) -> Batch {
        let relation = |number: &u8| match number {
            0 => Relation::Positive,
            1 => Relation::Negative,
            _ => Relation::Ignored,
        };
        Batch {
            source: 0,
            queries: (0..4).collect(),
            documents: (0..5).collect(),
            relations: self.relations.concat().iter().map(relation).collect(),
        }
    }
}

#[test]
fn ten_losses_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/losses.json");
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let tau = "tau = { start = 1.0, end = 0.5, shape = 'linear' }";
    let gumbel = format!("router = {{ estimator = 'gumbel', {tau} }}");
    let cases = [
        ("soft", run("fastlane-soft", TEACHER, ""), &golden.soft),
        ("mixture", run("fastlane", "entropy = 0.1, ", ""), &golden.mixture),
        ("gumbel", run("fastlane", TEACHER, &gumbel), &golden.gumbel),
    ];
    for (name, run, wanted) in cases {
        let found = losses(&run, &golden.batches);
        for (step, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let close = (found - wanted).abs() < 1e-4;
            assert!(close, "{name}, step {step}: {found}, wanted {wanted}");
        }
    }
}
