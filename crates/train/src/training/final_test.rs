//! Evaluates the final model on test sets: once, after all choices are made.
//!
//! The result of each way of searching is written as a TREC run, so that `fastlane eval` can
//! compare models query by query.

use std::path::Path;

use crate::backend::{Device, hash};
use crate::error::TrainError;
use crate::evaluation::eval_set::{JudgedSet, SearchModes, SearchRun};
use crate::events::observer::TestReport;
use crate::run::System;
use crate::storage::put;
use crate::training::learner::Learner;
use crate::training::prepare::Prepared;

/// The directory of a run's TREC runs.
const RUNS: &str = "test";

/// Evaluates on one set, and writes the results.
pub(crate) fn test<D: Device>(
    set: &JudgedSet,
    learner: &Learner<'_, D>,
    prepared: &Prepared,
    output: &Path,
    seen: &mut dyn FnMut(usize) -> Result<(), TrainError>,
) -> Result<TestReport, TrainError> {
    let (run, network) = (&prepared.run, learner.network());
    let system = run.architecture.system;
    let random = system.routes().then(|| hash(run.seed, 31));
    let modes = SearchModes { random, even: system == System::FastlaneSoft, ..run.search_modes() };
    let found = set.search(&network, &modes, learner.device(), seen)?;
    found.iter().try_for_each(|found| write(set, found, output))?;
    let picks = set.picks(&network, learner.device())?;
    let choice = picks.stats(|token| prepared.spelling(token));
    Ok(TestReport { path: set.path.clone(), measures: set.measures(&found), choice })
}

fn write(set: &JudgedSet, found: &SearchRun, output: &Path) -> Result<(), TrainError> {
    let runs = output.join(RUNS);
    let failed = |source| TrainError::Write { path: runs.clone(), source };
    std::fs::create_dir_all(&runs).map_err(failed)?;
    let mut bytes = Vec::new();
    found.run.write(&mut bytes).map_err(|error| failed(std::io::Error::other(error)))?;
    put(&runs.join(format!("{}.{}.run", set.name(), found.run.tag())), &bytes)
}
