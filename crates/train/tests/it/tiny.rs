//! A run that takes a second: the tiny encoder of the goldens, and sixty pairs.

use std::path::{Path, PathBuf};

use fastlane_train::run::Run;
use fastlane_train::{Event, Observer, Outcome, RunPaths, StepReport, TrainError, train};

/// Words of the tiny encoder's vocabulary.
pub(crate) const WORDS: [&str; 12] = [
    "light", "harbour", "ship", "house", "what", "the", "of", "on", "baking", "singing", "nine",
    "seen",
];

#[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// Writes pairs; with `other`, the last of them differs.
pub(crate) fn write_pairs(path: &Path, other: bool) {
    let word = |at: usize| WORDS[at % WORDS.len()];
    let line = |at: usize| {
        let at = if other && at == 59 { 1000 } else { at };
        let query = format!("{} {} {}", word(at), word(at / 5 + 3), at % 10);
        let text = format!("{} {query} . {}", word(at * 7), word(at * 3 + 1));
        format!("{{\"query\":\"{query}\",\"positive\":\"{text}\"}}\n")
    };
    write(path, &(0..60).map(line).collect::<String>());
}

/// A run in a directory, with changes to the default settings.
pub(crate) fn run(
    directory: &Path,
    changes: &[(&str, &str)],
) -> Result<Run, fastlane_train::run::RunError> {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-tied");
    let pairs = directory.join("pairs.jsonl");
    if !pairs.exists() {
        write_pairs(&pairs, false);
    }
    let text = format!(
        "model = {model:?}\n[architecture]\ndim = 8\nlane_dim = 16\nquery_tokens = 12\n\
         document_tokens = 20\nattention = 7\n[[data]]\nkind = 'jsonl'\npath = {pairs:?}\n\
         [loss]\nsum_max = 1.0\n[schedule]\nsteps = 40\nbatch = 8\n[saving]\nevery = 3\n\
         [optimiser]\nrate = 1e-3\n"
    );
    let file = directory.join("run.toml");
    write(&file, &text);
    let changes: Vec<(String, String)> =
        changes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    Run::open(&file, &changes)
}

pub(crate) fn paths(directory: &Path) -> RunPaths {
    RunPaths { output: directory.join("out"), cache: directory.join("cache") }
}

/// Records events, and stops after some steps.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) steps: Vec<StepReport>,
    pub(crate) stop_after: Option<u32>,
}

impl Observer for Seen {
    fn on_event(&mut self, event: &Event) {
        if let Event::Step(report) = event {
            self.steps.push(report.clone());
        }
    }

    fn stops(&self) -> bool {
        self.stop_after.is_some_and(|after| self.steps.len() as u32 >= after)
    }
}

/// Trains to the end.
pub(crate) fn finish(run: &Run, paths: &RunPaths) -> Result<(PathBuf, Seen), TrainError> {
    let mut seen = Seen::default();
    match train(run, paths, &mut seen)? {
        Outcome::Finished { model, .. } => Ok((model, seen)),
        Outcome::Stopped { step } => panic!("nobody asked to stop at {step}"),
    }
}
