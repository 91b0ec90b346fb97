//! The time of a whole training step: 16 queries of 32 tokens, 32 documents of 128, both losses,
//! AdamW, all of all-MiniLM-L6-v2. `tools/bench/training` alternates it with PyTorch.
//!
//!     cargo bench -p fastlane-train --bench step -- MODEL [STEPS]
//!
//! Prints the seconds of each step but the first two.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fastlane_train::run::Run;
use fastlane_train::{Event, Observer, RunPaths, train};

/// Steps that warm up.
const WARM: usize = 2;

struct Clock {
    last: Instant,
    seconds: Vec<f64>,
}

impl Observer for Clock {
    fn on_event(&mut self, event: &Event) {
        if let Event::Ready(_) = event {
            self.last = Instant::now();
        }
        if let Event::Step(_) = event {
            self.seconds.push(self.last.elapsed().as_secs_f64());
            self.last = Instant::now();
        }
    }

    fn stops(&self) -> bool {
        false
    }
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let Some(model) = arguments.first().map(PathBuf::from) else {
        println!("SKIPPED: say which model");
        return;
    };
    let steps = arguments.get(1).map_or(8, |steps| steps.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &model, steps + WARM);
    let paths = RunPaths { output: folder.path().join("out"), cache: folder.path().join("cache") };
    let mut clock = Clock { last: Instant::now(), seconds: Vec::new() };
    train(&run, &paths, &mut clock).unwrap();
    for seconds in &clock.seconds[WARM..] {
        println!("{seconds:.4}");
    }
}

/// A run on texts that are longer than its limits.
fn run(folder: &Path, model: &Path, steps: usize) -> Run {
    let words = ["light", "house", "keeper", "harbour", "ship", "night", "storm", "lamp", "glass"];
    let text = |seed: usize, count: usize| {
        let word = |at: usize| words[(seed * 31 + at * (seed % 7 + 1)) % words.len()];
        (0..count).fold(format!("{seed}"), |text, at| text + " " + word(at))
    };
    let mut pairs = String::new();
    for at in 0..64 {
        let (query, positive, negative) = (text(at, 40), text(at + 100, 140), text(at + 200, 140));
        writeln!(
            pairs,
            "{{\"query\":\"{query}\",\"positive\":\"{positive}\",\"negatives\":[\"{negative}\"]}}"
        )
        .unwrap();
    }
    let file = folder.join("pairs.jsonl");
    write(&file, &pairs);
    let text = format!(
        "model = {model:?}\n[architecture]\nsystem = 'sum-max'\nquery_tokens = 32\n\
         document_tokens = 128\n[[data]]\nkind = 'jsonl'\npath = {file:?}\n[negatives]\n\
         per_query = 1\n[loss]\nteacher = {{ weight = 1.0 }}\n[schedule]\nsteps = {steps}\n\
         batch = 16\n[saving]\nevery = 1000000\n"
    );
    let run = folder.join("run.toml");
    write(&run, &text);
    Run::open(&run, &[]).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a bench's file may be lost in a crash")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
