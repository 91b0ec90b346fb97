//! `fastlane train`: trains a model, or resumes a run.

mod view;

use std::path::{Path, PathBuf};

use fastlane_train::run::Run;
use fastlane_train::{Outcome, RunPaths, TrainError, report, train};
use serde::Serialize;

use crate::args::TrainArgs;
use crate::interrupt::Interrupted;
use crate::printer::Printer;
use view::View;

pub(crate) fn run(args: &TrainArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.report {
        let path = report(&args.output)?;
        printer.note(&format!("report in {}", path.display()));
        return Ok(());
    }
    let planned = planned(args);
    // check all runs first, so that an invalid value does not fail after hours of training
    let runs: Vec<Run> =
        planned.iter().map(|it| Run::open(&args.run, &it.changes)).collect::<Result<_, _>>()?;
    let (mut done, mut diverged) = (Vec::new(), Vec::new());
    for (run, PlannedRun { output, .. }) in runs.iter().zip(&planned) {
        if args.sweep.is_some() {
            printer.note(&format!("run in {}", output.display()));
        }
        match one(run, output, args, printer) {
            Ok(it) => done.push(it),
            Err(error) if args.sweep.is_some() && is_divergence(&error) => {
                printer.error(&error);
                diverged.push(output.display().to_string());
            }
            Err(error) => return Err(error),
        }
    }
    if args.json {
        printer.json(&done)?;
    }
    match diverged.is_empty() {
        true => Ok(()),
        false => Err(Diverged { runs: diverged, of: planned.len() }.into()),
    }
}

/// Some runs of a sweep diverged and have no model.
#[derive(Debug, thiserror::Error)]
#[error("{} of {of} runs diverged: {}", runs.len(), runs.join(", "))]
struct Diverged {
    runs: Vec<String>,
    of: usize,
}

/// Whether a run diverged: its loss is not a number, so other values may do better.
fn is_divergence(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error| matches!(error, TrainError::NotFinite { .. }))
}

/// A run to train.
struct PlannedRun {
    output: PathBuf,
    changes: Vec<(String, String)>,
}

/// The run, or one for each value of a sweep.
fn planned(args: &TrainArgs) -> Vec<PlannedRun> {
    let Some((key, values)) = &args.sweep else {
        return vec![PlannedRun { output: args.output.clone(), changes: args.changes.clone() }];
    };
    let short = key.rsplit('.').next().unwrap_or(key);
    let plan = |value: &str| PlannedRun {
        output: args.output.join(format!("{short}-{value}")),
        changes: args.changes.iter().cloned().chain([(key.clone(), value.to_owned())]).collect(),
    };
    values.split(',').map(plan).collect()
}

/// The outcome of a run.
#[derive(Serialize)]
struct FinishedRun {
    output: PathBuf,
    model: PathBuf,
    best_step: Option<u32>,
    best_value: Option<f64>,
}

fn one(
    run: &Run,
    output: &Path,
    args: &TrainArgs,
    printer: &Printer,
) -> anyhow::Result<FinishedRun> {
    let paths = RunPaths { output: output.to_owned(), cache: args.cache.clone() };
    let mut view = View::new(printer);
    let outcome = train(run, &paths, &mut view);
    drop(view);
    match outcome {
        Ok(Outcome::Finished { model, best }) => {
            let best_words = best.map_or(String::new(), |(step, value)| {
                format!(", the best of step {step} with {value:.4}")
            });
            printer.note(&format!("model in {}{best_words}", model.display()));
            let (best_step, best_value) = best.unzip();
            Ok(FinishedRun { output: output.to_owned(), model, best_step, best_value })
        }
        Ok(Outcome::Stopped { step }) => {
            printer.note(&format!("saved at step {step}: run the same command to resume"));
            Err(Interrupted.into())
        }
        Err(error) => Err(ended(error)),
    }
}

/// An interrupt is not an error of the run; any other error is, even if an interrupt came
/// meanwhile.
fn ended(error: TrainError) -> anyhow::Error {
    if error.is_stop() { Interrupted.into() } else { error.into() }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_full_disk_is_told_even_to_those_who_stop_a_run() {
        assert!(ended(TrainError::Stopped).is::<Interrupted>());
        let (path, source) = (PathBuf::from("out"), io::ErrorKind::StorageFull.into());
        let told = ended(TrainError::Write { path, source });
        assert_eq!(told.to_string(), "cannot write `out`");
    }
}
