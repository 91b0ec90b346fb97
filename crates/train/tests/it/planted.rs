//! A task that only a router can solve: the relevant word is at a random position in the query, and
//! only its neighbours mark it.

use std::fmt::Write as _;
use std::path::Path;

use crate::tiny::{Seen, finish, paths, run, write};
use fastlane_engine::Encoder as _;
use fastlane_model::{Model, Settings};

/// The number of words; some queries search for a word that other queries merely contain.
const LETTERS: usize = 26;

/// Pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn letter(number: usize) -> char {
    char::from(b'a' + number as u8)
}

/// A query of seven words, the position of the relevant one, and that word.
fn query(random: &mut Random) -> (String, usize, usize) {
    let mut words: Vec<String> =
        (0..5).map(|_| letter(random.below(LETTERS)).to_string()).collect();
    let place = random.below(5);
    let wanted = random.below(LETTERS);
    words[place] = format!("0 {} 1", letter(wanted));
    // [CLS] and the prefix come first, then the mark before the word
    (words.join(" "), 2 + place + 1, wanted)
}

fn write_pairs(path: &Path) {
    let mut random = Random(3);
    let mut text = String::new();
    for _ in 0..4_000 {
        let (query, _, wanted) = query(&mut random);
        let wanted = letter(wanted);
        writeln!(text, "{{\"query\":\"{query}\",\"positive\":\"{wanted}\"}}").unwrap();
    }
    write(path, &text);
}

/// Trains, and returns the model and the mean loss of the last steps.
fn learn(changes: &[(&str, &str)]) -> (Model, f64) {
    let directory = tempfile::tempdir().unwrap();
    write_pairs(&directory.path().join("pairs.jsonl"));
    let usual = [
        ("architecture.dropout", "0.0"),
        ("loss.sum_max", "0.0"),
        ("schedule.batch", "16"),
        ("saving.every", "10000"),
    ];
    let changes: Vec<(&str, &str)> = usual.iter().chain(changes).copied().collect();
    let (model, Seen { steps, .. }) =
        finish(&run(directory.path(), &changes).unwrap(), &paths(directory.path())).unwrap();
    let last = &steps[steps.len() - 20..];
    let loss = last.iter().map(|step| step.loss).sum::<f64>() / 20.0;
    (Model::open(&model, &Settings::default()).unwrap(), loss)
}

/// The share of new queries in which the router picks the relevant word.
fn accuracy(model: &Model) -> f64 {
    let mut random = Random(77);
    let right = (0..500).filter(|_| {
        let (text, place, _) = query(&mut random);
        let views = model.encode_query(&text).unwrap();
        let alpha = &views.alpha;
        let best = (0..alpha.len()).max_by(|&a, &b| alpha[a].total_cmp(&alpha[b])).unwrap();
        best == place
    });
    right.count() as f64 / 500.0
}

#[test]
fn the_router_finds_the_word_that_matters() {
    let changes = [
        ("architecture.system", "fastlane"),
        ("architecture.attention", "32"),
        ("optimiser.rate", "3e-3"),
        ("schedule.steps", "1000"),
    ];
    let (model, loss) = learn(&changes);
    let found = accuracy(&model);
    assert!(found > 0.95, "accuracy {found}, loss {loss}");
}

#[test]
fn a_fixed_lane_of_a_frozen_encoder_does_not() {
    let changes = [
        ("architecture.system", "static-tied"),
        ("mode", "frozen"),
        ("optimiser.rate", "3e-3"),
        ("schedule.steps", "300"),
    ];
    let (_, loss) = learn(&changes);
    // chance is ln 16 = 2.77
    assert!(loss > 2.4, "loss {loss}");
}
