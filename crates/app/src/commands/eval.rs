//! `fastlane eval`: evaluates runs against judgements, and compares runs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fastlane_eval::{Comparison, Evaluation, Missing, Qrels, Resampling, holm};

use crate::args::EvalArgs;
use crate::printer::{Output, Printer};
use crate::progress::{Progress, Unit};
use crate::report::{Compared, Report, System};
use crate::{input, interrupt};

pub(crate) fn run(args: &EvalArgs, printer: &Printer) -> anyhow::Result<()> {
    let qrels = input::qrels(&args.qrels, printer.settings())?;
    let systems = evaluate(args, &qrels, printer)?;
    let compared = compare(args, &systems, printer)?;
    let report = Report { args, systems, compared };
    for warning in report.warnings() {
        printer.note(&format!("warning: {warning}"));
    }
    match args.output() {
        Output::Json => printer.json(&report.json()),
        output => printer.table(&report.table(), output),
    }
}

/// Every run with its values; the baseline comes first.
fn evaluate(args: &EvalArgs, qrels: &Qrels, printer: &Printer) -> anyhow::Result<Vec<System>> {
    let missing = if args.complete { Missing::Zero } else { Missing::Skip };
    let paths = paths(args);
    let names = names(&paths);
    let systems = paths.iter().zip(names).map(|(path, name)| {
        let run = input::run(path, printer.settings())?;
        let evaluation = Evaluation::new(&run, qrels, &args.measure, missing)
            .with_context(|| format!("cannot evaluate `{}`", path.display()))?;
        Ok(System { name, path: path.clone(), tag: run.tag().to_owned(), evaluation })
    });
    systems.collect()
}

/// The baseline, then the runs; each file once, even if its path is spelled differently.
fn paths(args: &EvalArgs) -> Vec<PathBuf> {
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in args.baseline.iter().chain(&args.runs) {
        if !paths.iter().any(|other| same(other, path)) {
            paths.push(path.clone());
        }
    }
    paths
}

/// File names without their suffixes where those differ, else the paths as given.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let short: Vec<String> = paths.iter().map(|path| short(path)).collect();
    let distinct = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    if short.iter().all(distinct) {
        return short;
    }
    paths.iter().map(|path| path.display().to_string()).collect()
}

fn short(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let bare = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    let stem = [".run", ".txt", ".trec"].iter().find_map(|suffix| bare.strip_suffix(suffix));
    stem.unwrap_or(bare).to_owned()
}

/// Each run against the baseline by each measure; p-values are corrected within a measure.
fn compare(
    args: &EvalArgs,
    systems: &[System],
    printer: &Printer,
) -> anyhow::Result<Vec<Compared>> {
    let Some((baseline, others)) = systems.split_first().filter(|_| args.baseline.is_some()) else {
        return Ok(Vec::new());
    };
    if others.is_empty() {
        bail!("the only run is the baseline `{}`, wanted a run to compare with it", baseline.name);
    }
    let resampling =
        Resampling { rounds: args.resamples as usize, seed: args.seed, ..Resampling::default() };
    let total = (args.measure.len() * others.len()) as u64;
    let bar = Progress::new("comparing", Some(total), Unit::Things("pairs"), printer.settings());
    let mut compared: Vec<Compared> = Vec::new();
    for measure in 0..args.measure.len() {
        let mut comparisons = Vec::new();
        for other in others {
            interrupt::check()?;
            comparisons.push(compare_pair(other, baseline, measure, &resampling)?);
            bar.set((compared.len() + comparisons.len()) as u64);
        }
        let p_values: Vec<f64> = comparisons.iter().map(|comparison| comparison.p_value).collect();
        let corrected = comparisons.into_iter().zip(holm(&p_values)).zip(1..);
        compared.extend(corrected.map(|((comparison, p_holm), system)| Compared {
            system,
            measure,
            comparison,
            p_holm,
        }));
    }
    Ok(compared)
}

fn compare_pair(
    system: &System,
    baseline: &System,
    measure: usize,
    resampling: &Resampling,
) -> anyhow::Result<Comparison> {
    let (ours, theirs) = system.evaluation.paired(&baseline.evaluation, measure);
    if ours.is_empty() {
        bail!("runs `{}` and `{}` answer no judged query in common", system.name, baseline.name);
    }
    Ok(Comparison::new(&ours, &theirs, resampling))
}
