//! Stopped runs of every version whose runs can be resumed.
//!
//! Each is in `compat/`, with a README that describes how it was made. They must not be
//! regenerated: a test that fails here means that users cannot resume their runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tiny::{Seen, finish, paths, run, write};
use fastlane_train::{Outcome, TrainError, train};
use serde_json::Value;

const FROZEN: [(&str, &str); 1] = [("mode", "frozen")];

/// A copy of the fixture's run, as if it had been started in a directory.
fn stopped(fixture: &str) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(fixture), to.path());
    // writes the pairs, and provides the path of the model
    let it = run(to.path(), &FROZEN).unwrap();
    let state = state(to.path());
    let text = fs::read_to_string(&state).unwrap();
    let text = text.replace("MODEL", it.model.to_str().unwrap());
    write(&state, &text.replace("PAIRS", to.path().join("pairs.jsonl").to_str().unwrap()));
    to
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The path of the last state.
fn state(run: &Path) -> PathBuf {
    let mut steps: Vec<_> = run.join("out/checkpoints").read_dir().unwrap().flatten().collect();
    steps.sort_by_key(std::fs::DirEntry::file_name);
    steps.last().unwrap().path().join("state.json")
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The names of cached states.
fn cached(run: &Path) -> Vec<String> {
    let entries = run.join("cache").read_dir().unwrap().flatten();
    let mut names: Vec<_> = entries.map(|it| it.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Resumes a run, for one step at first; its next checkpoint has the newest format, and it uses
/// only the cached states.
fn goes_on(fixture: &str, format: u32) {
    let folder = stopped(fixture);
    let (it, to) = (run(folder.path(), &FROZEN).unwrap(), paths(folder.path()));
    let (before, states) = (json(&state(folder.path())), cached(folder.path()));
    assert_eq!(before["format"], format);
    let step = before["step"].as_u64().unwrap() as u32;
    assert!(states.iter().all(|name| name.starts_with(&format!("states{format}-"))), "{states:?}");
    let mut one = Seen { stop_after: Some(1), ..Seen::default() };
    assert_eq!(train(&it, &to, &mut one).unwrap(), Outcome::Stopped { step: step + 1 });
    let saved = json(&state(folder.path()));
    assert_eq!((&saved["format"], &saved["step"]), (&3.into(), &(step + 1).into()));
    let model = saved["origins"]["model"].as_str().unwrap();
    assert!(model.starts_with("f1-"), "{model}");
    assert_eq!(saved["origins"]["data"], before["origins"]["data"]);
    let (_, rest) = finish(&it, &to).unwrap();
    assert_eq!(rest.steps.len() as u32, 40 - step - 1);
    assert_eq!(cached(folder.path()), states);
}

#[test]
fn a_run_of_format_2_goes_on() {
    goes_on("v2", 2);
}

#[test]
fn a_run_of_format_3_goes_on() {
    goes_on("v3", 3);
}

#[test]
fn a_run_of_an_earlier_format_is_of_the_same_model_only() {
    let folder = stopped("v2");
    let path = state(folder.path());
    let text = fs::read_to_string(&path).unwrap();
    let model = json(&path)["origins"]["model"].as_str().unwrap().to_owned();
    write(&path, &text.replace(&model, "0123456789abcdef"));
    let error = finish(&run(folder.path(), &FROZEN).unwrap(), &paths(folder.path())).err().unwrap();
    assert!(matches!(&error, TrainError::OtherRun { key, .. } if key == "model"), "{error}");
    assert!(
        error
            .to_string()
            .contains("`model` is of hash 0123456789abcdef, this one's is of hash f1-")
    );
}

#[test]
fn runs_of_other_formats_are_refused_by_their_format_whatever_else_they_say() {
    let folder = stopped("v2");
    let refused = |format: u32| {
        write(&state(folder.path()), &format!("{{\"format\": {format}, \"steps\": [7]}}"));
        finish(&run(folder.path(), &FROZEN).unwrap(), &paths(folder.path())).err().unwrap()
    };
    for (format, hint) in [(1, "begins again"), (4, "newer version of fastlane")] {
        let error = refused(format);
        let words = format!("state.json` has format {format}, this program reads 2 to 3");
        assert!(error.to_string().ends_with(&words), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
}
