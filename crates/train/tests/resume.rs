//! A run that is stopped or killed goes on as if nothing had happened.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod tiny;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastlane_train::{Outcome, TrainError, train};
use tiny::{Seen, finish, places, run, write_pairs};

const KILLS: usize = 10;

/// Every file under a directory.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                all.insert(name, fs::read(path).unwrap());
            }
        }
    }
    all
}

#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let quiet = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let (model, _) = finish(&run(quiet.path(), &[]).unwrap(), &places(quiet.path())).unwrap();
    let took = began.elapsed();
    let disturbed = tempfile::tempdir().unwrap();
    for kill in 0..KILLS {
        let mut child = child(disturbed.path());
        // from the first moments to nearly the end, in an order that looks random
        let part = f64::from(((kill * 7) % KILLS) as u32 + 1) / (KILLS as f64 + 2.0);
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * part * 0.5));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (resumed, _) =
        finish(&run(disturbed.path(), &[]).unwrap(), &places(disturbed.path())).unwrap();
    assert!(files(&model) == files(&resumed), "the models differ");
    let losses =
        |directory: &Path| fs::read_to_string(directory.join("out/metrics.jsonl")).unwrap();
    let loss = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (line["step"].as_u64().unwrap(), line["is"]["loss"].as_f64().unwrap().to_bits())
    };
    let all = |directory: &Path| losses(directory).lines().map(loss).collect::<Vec<_>>();
    assert_eq!(all(quiet.path()), all(disturbed.path()));
}

/// This program again, as [`killed`].
fn child(directory: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed", "--nocapture"])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "it is started by another test, in a directory of its own"]
fn killed() {
    let directory = std::env::current_dir().unwrap();
    if directory.ends_with("train") {
        return;
    }
    finish(&run(&directory, &[]).unwrap(), &places(&directory)).unwrap();
}

#[test]
fn a_stopped_run_goes_on_with_the_same_losses() {
    let quiet = tempfile::tempdir().unwrap();
    let changes = [("architecture.dropout", "0.2"), ("schedule.accumulate", "2")];
    let (_, all) = finish(&run(quiet.path(), &changes).unwrap(), &places(quiet.path())).unwrap();
    let stopped = tempfile::tempdir().unwrap();
    let (it, to) = (run(stopped.path(), &changes).unwrap(), places(stopped.path()));
    let mut first = Seen { stop_after: Some(17), ..Seen::default() };
    let outcome = train(&it, &to, &mut first).unwrap();
    assert_eq!(outcome, Outcome::Stopped { step: 17 });
    let (_, second) = finish(&it, &to).unwrap();
    assert_eq!(second.steps.len(), 23);
    let losses =
        |seen: &Seen| seen.steps.iter().map(|step| step.loss.to_bits()).collect::<Vec<_>>();
    let (all, both) = (losses(&all), [losses(&first), losses(&second)].concat());
    let differs = all.iter().zip(&both).position(|(one, other)| one != other);
    let shown = differs.map(|at| (at, f64::from_bits(all[at]), f64::from_bits(both[at])));
    assert_eq!((all.len(), shown), (both.len(), None));
}

#[test]
fn texts_in_portions_give_the_same_losses() {
    let without = [("architecture.dropout", "0.0")];
    let whole = tempfile::tempdir().unwrap();
    let (_, all) = finish(&run(whole.path(), &without).unwrap(), &places(whole.path())).unwrap();
    let portions = tempfile::tempdir().unwrap();
    let changes = [without[0], ("schedule.checkpoint_texts", "3")];
    let (_, some) =
        finish(&run(portions.path(), &changes).unwrap(), &places(portions.path())).unwrap();
    for (all, some) in all.steps.iter().zip(&some.steps) {
        assert!((all.loss - some.loss).abs() < 2e-3 * all.loss, "{} {}", all.loss, some.loss);
    }
    assert!(all.steps[39].loss < 0.7 * all.steps[0].loss, "nothing was learned");
}

#[test]
fn another_run_or_other_data_do_not_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let to = places(directory.path());
    let mut stop = Seen { stop_after: Some(5), ..Seen::default() };
    train(&run(directory.path(), &[]).unwrap(), &to, &mut stop).unwrap();
    let said = |changes: &[(&str, &str)]| {
        let error = finish(&run(directory.path(), changes).unwrap(), &to).err().unwrap();
        assert!(matches!(error, TrainError::OtherRun { .. }), "{error}");
        assert!(error.hint().is_some());
        error.to_string().replace(&to.output.display().to_string(), "OUT")
    };
    assert_eq!(said(&[("seed", "2")]), "`OUT` holds a run whose `seed` is 1, this one's is 2");
    let other = said(&[("architecture.document_lanes", "2")]);
    assert!(other.starts_with("`OUT` holds a run whose `architecture` is "), "{other}");
    write_pairs(&directory.path().join("pairs.jsonl"), true);
    let data = said(&[]);
    assert!(data.starts_with("`OUT` holds a run whose `data` is "), "{data}");
}
