//! A training run on a dozen pairs of a question and its answer, from the run file to a new checkpoint.
//!
//! ```sh
//! cargo run -p fastlane-train --example train_on_pairs
//! ```

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it prints, and makes files")]

use std::error::Error;
use std::fs;

use fastlane_train::run::Run;
use fastlane_train::{Event, Observer, Outcome, RunPaths, train};

/// The tiny model that the tests use.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-tied");
const WORDS: [&str; 6] = ["light", "harbour", "ship", "house", "baking", "singing"];

struct Losses(Vec<f64>);

impl Observer for Losses {
    fn on_event(&mut self, event: &Event) {
        if let Event::Step(report) = event {
            self.0.push(report.loss);
        }
    }

    fn stops(&self) -> bool {
        false // true saves the state, and the next call of `train` resumes it
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let pair = |at: usize| {
        let (one, other) = (WORDS[at % 6], WORDS[(at + at / 6 + 1) % 6]);
        format!("{{\"query\":\"what {one} {other}\",\"positive\":\"the {other} of the {one}\"}}\n")
    };
    let (pairs, file) = (folder.path().join("pairs.jsonl"), folder.path().join("run.toml"));
    fs::write(&pairs, (0..12).map(pair).collect::<String>())?;
    let text = format!(
        "model = {MODEL:?}\n[architecture]\ndim = 8\nlane_dim = 16\n\
         query_tokens = 12\ndocument_tokens = 20\n[[data]]\nkind = 'jsonl'\n\
         path = {pairs:?}\n[schedule]\nsteps = 40\nbatch = 6\n[optimiser]\nrate = 3e-3\n"
    );
    fs::write(&file, text)?;
    let run = Run::open(&file, &[])?;
    let paths = RunPaths { output: folder.path().join("out"), cache: folder.path().join("cache") };
    let mut losses = Losses(Vec::new());
    let Outcome::Finished { model, .. } = train(&run, &paths, &mut losses)? else {
        return Err("the run was stopped".into());
    };
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (before, after) = (mean(&losses.0[..10]), mean(&losses.0[30..]));
    println!("loss of the first ten steps {before:.3}, of the last ten {after:.3}");
    println!("the new checkpoint has {} files", fs::read_dir(&model)?.count());
    assert!(after < before);
    Ok(())
}
