//! A run that is stopped or killed is resumed as if it had not been interrupted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tiny::{Seen, WORDS, finish, paths, run, write, write_pairs};
use fastlane_train::{Outcome, TrainError, train};

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
    let (model, _) = finish(&run(quiet.path(), &[]).unwrap(), &paths(quiet.path())).unwrap();
    let took = began.elapsed();
    let disturbed = tempfile::tempdir().unwrap();
    for kill in 0..KILLS {
        let mut child = child(disturbed.path());
        // from the first moments to nearly the end, in a pseudo-random order
        let part = f64::from(((kill * 7) % KILLS) as u32 + 1) / (KILLS as f64 + 2.0);
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * part * 0.5));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (resumed, _) =
        finish(&run(disturbed.path(), &[]).unwrap(), &paths(disturbed.path())).unwrap();
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
        .args(["--ignored", "--exact", "resume::killed", "--nocapture"])
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
    finish(&run(&directory, &[]).unwrap(), &paths(&directory)).unwrap();
}

#[test]
fn a_stopped_run_goes_on_with_the_same_losses() {
    let quiet = tempfile::tempdir().unwrap();
    let changes = [("architecture.dropout", "0.2"), ("schedule.accumulate", "2")];
    let (_, all) = finish(&run(quiet.path(), &changes).unwrap(), &paths(quiet.path())).unwrap();
    let stopped = tempfile::tempdir().unwrap();
    let (it, to) = (run(stopped.path(), &changes).unwrap(), paths(stopped.path()));
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
    let (_, all) = finish(&run(whole.path(), &without).unwrap(), &paths(whole.path())).unwrap();
    let portions = tempfile::tempdir().unwrap();
    let changes = [without[0], ("schedule.checkpoint_texts", "3")];
    let (_, some) =
        finish(&run(portions.path(), &changes).unwrap(), &paths(portions.path())).unwrap();
    for (all, some) in all.steps.iter().zip(&some.steps) {
        assert!((all.loss - some.loss).abs() < 2e-3 * all.loss, "{} {}", all.loss, some.loss);
    }
    assert!(all.steps[39].loss < 0.7 * all.steps[0].loss, "nothing was learned");
}

#[test]
fn another_run_or_other_data_do_not_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let to = paths(directory.path());
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

/// Writes a collection of twelve documents with judgements, for evaluation.
fn write_dev(directory: &Path) -> PathBuf {
    let beir = directory.join("dev");
    fs::create_dir_all(beir.join("qrels")).unwrap();
    let document = |at: usize| {
        let (word, next) = (WORDS[at], WORDS[(at + 1) % WORDS.len()]);
        format!("{{\"_id\":\"d{at}\",\"title\":\"\",\"text\":\"{word} {next}\"}}\n")
    };
    let query = |at: usize| format!("{{\"_id\":\"q{at}\",\"text\":\"{}\"}}\n", WORDS[at]);
    let judged = |at: usize| format!("q{at}\td{at}\t1\n");
    let all = |line: &dyn Fn(usize) -> String| (0..WORDS.len()).map(line).collect::<String>();
    write(&beir.join("corpus.jsonl"), &all(&document));
    write(&beir.join("queries.jsonl"), &all(&query));
    let head = "query-id\tcorpus-id\tscore\n";
    write(&beir.join("qrels/test.tsv"), &format!("{head}{}", all(&judged)));
    beir
}

/// Settings for an evaluation on a collection every few steps.
fn measured(directory: &Path) -> String {
    format!("[{{ path = {:?}, split = \"test\" }}]", write_dev(directory))
}

#[test]
fn a_frozen_run_with_measurements_goes_on_as_if_it_had_not_stopped() {
    let run_in = |directory: &Path, stops: &[u32]| {
        let dev = measured(directory);
        let changes = [
            ("mode", "frozen"),
            ("architecture.tuned_layers", "1"),
            ("dev", dev.as_str()),
            ("saving.measure_every", "4"),
            ("schedule.patience", "3"),
        ];
        let (it, to) = (run(directory, &changes).unwrap(), paths(directory));
        for &after in stops {
            let mut stop = Seen { stop_after: Some(after), ..Seen::default() };
            train(&it, &to, &mut stop).unwrap();
        }
        let (model, seen) = finish(&it, &to).unwrap();
        let metrics = fs::read_to_string(to.output.join("metrics.jsonl")).unwrap();
        let line = |line: &str| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["is"]["tokens_per_second"].take();
            // the directories differ
            line["is"]["sets"].as_array_mut().into_iter().flatten().for_each(|set| {
                set[0].take();
            });
            line
        };
        (files(&model), metrics.lines().map(line).collect::<Vec<_>>(), seen)
    };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (quiet, all, _) = run_in(folders[0].path(), &[]);
    let (stopped, some, _) = run_in(folders[1].path(), &[3, 3, 5]);
    assert_eq!(all, some);
    assert!(quiet == stopped, "the models differ");
    let measurements = all.iter().filter(|line| line["kind"] == "measurement").count();
    assert!(measurements >= 3, "{measurements} measurements");
}

#[test]
fn a_run_that_waited_enough_trains_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let dev = measured(directory.path());
    let changes = [
        ("dev", dev.as_str()),
        ("saving.measure_every", "1"),
        ("schedule.patience", "1"),
        // the weights do not change, so nothing improves
        ("optimiser.rate", "1e-20"),
    ];
    let (it, to) = (run(directory.path(), &changes).unwrap(), paths(directory.path()));
    let (model, first) = finish(&it, &to).unwrap();
    assert_eq!(first.steps.len(), 2);
    let made = files(&model);
    let (_, second) = finish(&it, &to).unwrap();
    assert_eq!(second.steps.len(), 0);
    assert!(files(&model) == made, "the models differ");
}

#[test]
fn what_is_saved_is_not_saved_anew_and_what_a_crash_left_goes() {
    use std::os::unix::fs::MetadataExt as _;
    let directory = tempfile::tempdir().unwrap();
    let (it, to) = (run(directory.path(), &[]).unwrap(), paths(directory.path()));
    let mut stop = Seen { stop_after: Some(5), ..Seen::default() };
    train(&it, &to, &mut stop).unwrap();
    let checkpoints = to.output.join("checkpoints");
    let number = |step: &str| fs::metadata(checkpoints.join(step)).unwrap().ino();
    let before = number("step-00000005");
    // an incomplete checkpoint of a step that is not repeated
    fs::create_dir(checkpoints.join("aside")).unwrap();
    write(&checkpoints.join("aside/weights.safetensors"), "half");
    train(&it, &to, &mut Seen { stop_after: Some(0), ..Seen::default() }).unwrap();
    assert_eq!(number("step-00000005"), before);
    finish(&it, &to).unwrap();
    let left = fs::read_dir(&checkpoints).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["step-00000040"]);
}

#[test]
fn another_base_model_other_scores_or_other_measurements_do_not_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-tied");
    for part in ["", "1_Dense", "2_FastLaneRouter"] {
        fs::create_dir_all(at("base").join(part)).unwrap();
        for entry in golden.join(part).read_dir().unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                fs::copy(entry.path(), at("base").join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    let (base, dev) = (at("base").display().to_string(), measured(directory.path()));
    let source = format!("[{{ kind = \"beir\", path = {:?}, split = \"test\" }}]", at("dev"));
    write(&at("scores.tsv"), "q0\td0\t1.0\n");
    let teacher = format!("{{ weight = 1.0, scores = {:?} }}", at("scores.tsv"));
    let changes = [
        ("model", base.as_str()),
        ("data", &source),
        ("dev", &dev),
        ("loss.teacher", &teacher),
        ("saving.measure_every", "0"),
    ];
    let (it, to) = (run(directory.path(), &changes).unwrap(), paths(directory.path()));
    train(&it, &to, &mut Seen { stop_after: Some(3), ..Seen::default() }).unwrap();
    let refused = |name: &str, change: &dyn Fn(&str) -> String| {
        let before = fs::read_to_string(at(name)).unwrap();
        write(&at(name), &change(&before));
        let error = train(&it, &to, &mut Seen { stop_after: Some(1), ..Seen::default() });
        write(&at(name), &before);
        let TrainError::OtherRun { key, .. } = error.unwrap_err() else { panic!("{name}") };
        key
    };
    assert_eq!(refused("scores.tsv", &|text| text.replace("1.0", "2.0")), "loss.teacher.scores");
    assert_eq!(refused("base/tokenizer.json", &|text| format!("{text}\n")), "model");
    let other = |text: &str| text.replace("q3\td3", "q3\td4");
    assert_eq!(refused("dev/qrels/test.tsv", &other), "data");
    train(&it, &to, &mut Seen { stop_after: Some(1), ..Seen::default() }).unwrap();
}

#[test]
fn portions_with_dropout_and_tuned_layers_learn_and_go_on() {
    let changes = [
        ("mode", "frozen"),
        ("architecture.tuned_layers", "1"),
        ("architecture.dropout", "0.2"),
        ("schedule.checkpoint_texts", "3"),
        ("optimiser.rate", "1e-2"),
    ];
    let whole = tempfile::tempdir().unwrap();
    let (_, all) = finish(&run(whole.path(), &changes).unwrap(), &paths(whole.path())).unwrap();
    let mean = |some: &[fastlane_train::StepReport]| -> f64 {
        some.iter().map(|step| step.loss).sum::<f64>() / some.len() as f64
    };
    let (first, last) = (mean(&all.steps[..8]), mean(&all.steps[32..]));
    assert!(last < 0.9 * first, "nothing was learned: {first}, {last}");
    let stopped = tempfile::tempdir().unwrap();
    let (it, to) = (run(stopped.path(), &changes).unwrap(), paths(stopped.path()));
    let mut first = Seen { stop_after: Some(11), ..Seen::default() };
    train(&it, &to, &mut first).unwrap();
    let (_, second) = finish(&it, &to).unwrap();
    let losses = |seen: &Seen| seen.steps.iter().map(|step| step.loss).collect::<Vec<_>>();
    assert_eq!(losses(&all), [losses(&first), losses(&second)].concat());
}
