//! `fastlane train`: learns a model, or goes on with it.

mod view;

use std::path::{Path, PathBuf};

use fastlane_train::run::Run;
use fastlane_train::{Outcome, Places, report, train};
use serde::Serialize;

use crate::args::TrainArgs;
use crate::interrupt::{self, Interrupted};
use crate::printer::Printer;
use view::View;

pub(crate) fn run(args: &TrainArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.report {
        let path = report(&args.output)?;
        printer.note(&format!("report in {}", path.display()));
        return Ok(());
    }
    let mut done = Vec::new();
    for Planned { output, changes } in planned(args) {
        let run = Run::open(&args.run, &changes)?;
        if args.sweep.is_some() {
            printer.note(&format!("run in {}", output.display()));
        }
        done.push(one(&run, &output, args, printer)?);
    }
    if args.json { printer.json(&done) } else { Ok(()) }
}

/// A run to make.
struct Planned {
    output: PathBuf,
    changes: Vec<(String, String)>,
}

/// The run, or one for each value of a sweep.
fn planned(args: &TrainArgs) -> Vec<Planned> {
    let Some((key, values)) = &args.sweep else {
        return vec![Planned { output: args.output.clone(), changes: args.changes.clone() }];
    };
    let short = key.rsplit('.').next().unwrap_or(key);
    let plan = |value: &str| Planned {
        output: args.output.join(format!("{short}-{value}")),
        changes: args.changes.iter().cloned().chain([(key.clone(), value.to_owned())]).collect(),
    };
    values.split(',').map(plan).collect()
}

/// What came of a run.
#[derive(Serialize)]
struct Done {
    output: PathBuf,
    model: PathBuf,
    best_step: Option<u32>,
    best_value: Option<f64>,
}

fn one(run: &Run, output: &Path, args: &TrainArgs, printer: &Printer) -> anyhow::Result<Done> {
    let places = Places { output: output.to_owned(), cache: args.cache.clone() };
    let mut view = View::new(printer);
    let outcome = train(run, &places, &mut view);
    drop(view);
    match outcome {
        Ok(Outcome::Finished { model, best }) => {
            let best_words = best.map_or(String::new(), |(step, value)| {
                format!(", the best of step {step} with {value:.4}")
            });
            printer.note(&format!("model in {}{best_words}", model.display()));
            let (best_step, best_value) = best.unzip();
            Ok(Done { output: output.to_owned(), model, best_step, best_value })
        }
        Ok(Outcome::Stopped { step }) => {
            printer.note(&format!("saved at step {step}: the same command goes on from there"));
            Err(Interrupted.into())
        }
        // what was asked for is no error of the run
        Err(error) => interrupt::check().map_err(anyhow::Error::from).and(Err(error.into())),
    }
}
