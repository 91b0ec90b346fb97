//! Gradients of whole losses against finite differences, system by system.

use std::path::Path;

use fastlane_model::checkpoint::Checkpoint;

use super::*;
use crate::architecture::{Frame, Parameter, Starting, TokenRows, encoders, start};
use crate::backend::{Cpu, alone};
use crate::loss::Relation::{Ignored, Negative, Positive};

const QUERIES: [&[u32]; 3] = [&[2, 9, 30, 3], &[2, 11, 3], &[2, 40, 41, 42, 43, 3]];
const DOCUMENTS: [&[u32]; 4] =
    [&[2, 30, 31, 9, 3], &[2, 11, 12, 50, 51, 52, 3], &[2, 41, 3], &[2, 60, 61, 20, 3]];

/// A run that starts from the tiny checkpoint.
fn run(changes: &str) -> Run {
    let text = "model = 'm'\n[[data]]\nkind = 'beir'\npath = 'd'\n";
    let all = "[architecture]\ndim = 32\nattention = 5\ndropout = 0.0\nstart = 'random'\n";
    let mut run: toml::Table = toml::from_str(&format!("{text}{all}")).unwrap();
    let changes: toml::Table = toml::from_str(changes).unwrap();
    for (section, keys) in changes {
        let section = run.entry(section).or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().unwrap();
        keys.as_table().unwrap().iter().for_each(|(key, value)| {
            section.insert(key.clone(), value.clone());
        });
    }
    run.try_into().unwrap()
}

struct Tiny {
    run: Run,
    frame: Frame,
    parameters: Vec<Parameter>,
}

impl Tiny {
    fn new(changes: &str) -> Self {
        let run = run(changes);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-tied");
        let checkpoint = Checkpoint::open(&path).unwrap();
        let starting = Starting { run: &run, checkpoint: &checkpoint, from: 0, states: &[] };
        let parameters = start(&starting).unwrap();
        let encoders = encoders(&checkpoint);
        let frame = Frame { settings: run.architecture.clone(), encoders, from: 0, skip: vec![50] };
        Self { run, frame, parameters }
    }

    fn gradients(&self, parameters: &[Parameter]) -> (Terms, Vec<Option<Vec<f32>>>) {
        let _alone = alone();
        let weights = Weights::new(parameters.to_vec(), Default::default(), &Default::default())
            .tracked::<Cpu>(|_| true);
        let network = Network::new(&self.frame, &weights);
        let losses = Losses { run: &self.run, step: 3, seed: 17 };
        let input = |texts: &[&[u32]]| Input {
            tokens: TokenRows::new(texts.iter().map(|&ids| (ids, ids.len()))),
            states: None,
        };
        let texts = Texts { queries: input(&QUERIES), documents: input(&DOCUMENTS) };
        let batch = Batch {
            source: 0,
            queries: vec![0, 1, 2],
            documents: vec![0, 1, 2, 3],
            relations: vec![
                Positive, Negative, Negative, Negative, Negative, Positive, Ignored, Negative,
                Negative, Negative, Positive, Positive,
            ],
        };
        let nan = f32::NAN;
        let teacher = [3.0, 1.0, nan, 0.5, 0.0, 2.0, 1.0, 1.0, nan, nan, nan, 4.0];
        let teachers = Teachers { scores: Some(teacher.to_vec()), views: self.views() };
        let (terms, found) = gradients(&losses, (&network, &weights), texts, &batch, &teachers);
        (terms, found.iter().map(|it| it.as_ref().map(values)).collect())
    }

    /// Views of another system: of all queries but the second, and of all documents.
    fn views(&self) -> [Option<Known>; 2] {
        let settings = &self.run.architecture;
        let dim = if settings.lane_dim > 0 { settings.lane_dim } else { settings.dim };
        let of = |texts: usize, count: usize, absent: usize| {
            let known: Vec<f32> =
                (0..texts * count).map(|row| f32::from(u8::from(row != absent))).collect();
            let value = |at: usize| ((at * 7 % 11) as f32 / 11.0 - 0.5) * known[at / dim];
            Known { values: (0..known.len() * dim).map(value).collect(), known, dim }
        };
        let documents = settings.document_views().map(|count| of(4, count, usize::MAX));
        [Some(of(3, 1, 1)), documents].map(|views| views.filter(|_| self.run.loss.needs_views()))
    }

    /// Moves each parameter a little along its gradient, and compares the change of the loss.
    fn check(&self) {
        let (terms, gradients) = self.gradients(&self.parameters);
        assert!(terms.loss.is_finite());
        let mut checked = 0;
        for (place, gradient) in gradients.iter().enumerate() {
            let name = &self.parameters[place].name;
            let Some(gradient) = gradient else { continue };
            let squares: f64 = gradient.iter().map(|&g| f64::from(g).powi(2)).sum();
            let length = squares.sqrt();
            if length < 1e-3 {
                continue;
            }
            // changes the loss by some ten-thousandths: more than rounding, and hardly past a kink
            let far = (0.0001 / length).min(0.05);
            let moved = |by: f64| {
                let mut parameters = self.parameters.clone();
                let values = parameters[place].values.iter_mut().zip(gradient);
                values.for_each(|(value, &g)| *value += (by * f64::from(g) / length) as f32);
                self.gradients(&parameters).0.loss
            };
            let found = (moved(far) - moved(-far)) / (2.0 * far);
            let error = (found - length).abs();
            assert!(error < 0.03 * length + 3e-4, "{name}: {found}, wanted {length}");
            checked += 1;
        }
        assert!(checked >= 20, "only {checked} parameters have a gradient");
    }
}

#[test]
fn late_interaction_and_a_teacher() {
    Tiny::new("architecture = { system = 'sum-max' }\nloss = { teacher = { weight = 0.5 } }")
        .check();
}

#[test]
fn the_mixture_of_lanes_with_entropy_and_balance() {
    let loss = "loss = { entropy = 0.1, balance = 0.2, sum_max = 0.5 }";
    Tiny::new(&format!("architecture = {{ system = 'fastlane' }}\n{loss}")).check();
}

#[test]
fn soft_picks_by_gumbel_noise() {
    let router = "router = { estimator = 'gumbel', straight_through = false, mask = false }";
    Tiny::new(&format!("architecture = {{ system = 'fastlane' }}\n{router}")).check();
}

#[test]
fn the_soft_lane_against_document_lanes() {
    let architecture =
        "architecture = { system = 'fastlane-soft', document_lanes = 3, lane_dim = 20 }";
    let loss = "loss = { sum_max = 1.0, learn_temperature = true, temperature = 0.2 }";
    Tiny::new(&format!("{architecture}\n{loss}")).check();
}

#[test]
fn split_towers_one_vector_and_the_best_pair() {
    Tiny::new("architecture = { system = 'static-split' }").check();
    Tiny::new("architecture = { system = 'dual' }").check();
    Tiny::new("architecture = { system = 'max-max' }").check();
}

#[test]
fn late_interaction_teaches_and_is_not_taught() {
    let architecture = "architecture = { system = 'fastlane-soft', lane_dim = 16 }";
    let tiny = Tiny::new(&format!("{architecture}\nloss = {{ contrastive = 0.0, distil = 1.0 }}"));
    let (terms, gradients) = tiny.gradients(&tiny.parameters);
    assert!(terms.terms.len() == 1 && terms.terms[0].0 == "distil" && terms.loss > 0.0);
    let learns = |name: &str| {
        let place = tiny.parameters.iter().position(|it| it.name == name).unwrap();
        gradients[place].as_ref().is_some_and(|it| it.iter().any(|&value| value != 0.0))
    };
    assert!(learns("router.lane_query.weight") && learns("router.dense.weight"));
    assert!(!learns("document.dense.0.linear.weight"));
}

#[test]
fn views_of_another_system() {
    let loss = "loss = { contrastive = 0.0, alignment = 1.0 }";
    let lanes = "document_lanes = 3, lane_dim = 20";
    for system in ["fastlane", "fastlane-soft", "static-split"] {
        Tiny::new(&format!("architecture = {{ system = '{system}', {lanes} }}\n{loss}")).check();
    }
    Tiny::new(&format!("architecture = {{ system = 'dual', dim = 8 }}\n{loss}")).check();
}
