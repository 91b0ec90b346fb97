//! The final model is evaluated on test sets, and its runs can be compared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::tiny::{Seen, WORDS, finish, paths, run, write};
use fastlane_train::{Outcome, train};
use serde_json::Value;

/// Makes a collection in which each document has a unique word, with a query for each.
fn collection(directory: &Path, id: impl Fn(usize) -> String) -> PathBuf {
    let beir = directory.join("words");
    fs::create_dir_all(beir.join("qrels")).unwrap();
    let line = |(at, word): (usize, &&str)| {
        format!("{{\"_id\":\"{}\",\"title\":\"\",\"text\":\"{word} . {word}\"}}\n", id(at))
    };
    write(&beir.join("corpus.jsonl"), &WORDS.iter().enumerate().map(line).collect::<String>());
    let query = |(at, word): (usize, &&str)| format!("{{\"_id\":\"q{at}\",\"text\":\"{word}\"}}\n");
    write(&beir.join("queries.jsonl"), &WORDS.iter().enumerate().map(query).collect::<String>());
    let judged = |at: usize| format!("q{at}\t{}\t1\n", id(at));
    let judged = (0..WORDS.len()).map(judged).collect::<String>();
    write(&beir.join("qrels/test.tsv"), &format!("query-id\tcorpus-id\tscore\n{judged}"));
    beir
}

/// The lines of one kind that a run wrote.
fn told(directory: &Path, kind: &str) -> Vec<Value> {
    let lines = fs::read_to_string(directory.join("out/metrics.jsonl")).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

#[test]
fn a_run_that_is_done_can_be_tested_later_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let changes = [("architecture.system", "fastlane-soft"), ("schedule.alike", "4")];
    finish(&run(directory.path(), &changes).unwrap(), &paths(directory.path())).unwrap();
    assert_eq!(told(directory.path(), "test"), Vec::<Value>::new());
    let set = format!(
        "[{{ path = {:?}, split = 'test' }}]",
        collection(directory.path(), |at| format!("d{at}"))
    );
    let changes = [changes[0], changes[1], ("test", set.as_str())];
    for _ in 0..2 {
        let tested = run(directory.path(), &changes).unwrap();
        let (_, seen) = finish(&tested, &paths(directory.path())).unwrap();
        assert_eq!(seen.steps.len(), 0);
    }
    let [report] = &told(directory.path(), "test")[..] else { panic!("not one report") };
    let choice = &report["is"]["choice"];
    assert!(choice["position_share"].as_f64().unwrap() > 0.0, "{choice}");
    let measures = report["is"]["measures"].as_array().unwrap();
    let ways = ["lane", "random-lane", "even-lane", "sum-max", "rerank"];
    assert_eq!(measures.len(), 2 * ways.len());
    for (way, measures) in ways.iter().zip(measures.chunks(2)) {
        let file = File::open(directory.path().join(format!("out/test/words.{way}.run"))).unwrap();
        let run = fastlane_eval::Run::read(file, way).unwrap();
        let judged = File::open(directory.path().join("words/qrels/test.tsv")).unwrap();
        let qrels = fastlane_eval::Qrels::read(judged, "test.tsv").unwrap();
        let all = ["nDCG@10".parse().unwrap()];
        let evaluation =
            fastlane_eval::Evaluation::new(&run, &qrels, &all, fastlane_eval::Missing::Zero);
        let wanted = measures[0][1].as_f64().unwrap();
        assert!((evaluation.unwrap().mean(0) - wanted).abs() < 1e-12, "{way}");
    }
}

#[test]
fn tests_can_be_stopped_and_are_made_by_the_same_call() {
    let directory = tempfile::tempdir().unwrap();
    let set = format!(
        "[{{ path = {:?}, split = 'test' }}]",
        collection(directory.path(), |at| format!("d{at}"))
    );
    finish(&run(directory.path(), &[]).unwrap(), &paths(directory.path())).unwrap();
    let it = run(directory.path(), &[("test", set.as_str())]).unwrap();
    let mut stop = Seen { stop_after: Some(0), ..Seen::default() };
    let outcome = train(&it, &paths(directory.path()), &mut stop).unwrap();
    assert_eq!(outcome, Outcome::Stopped { step: 40 });
    assert_eq!(told(directory.path(), "test"), Vec::<Value>::new());
    finish(&it, &paths(directory.path())).unwrap();
    assert_eq!(told(directory.path(), "test").len(), 1);
}

#[test]
fn an_id_that_no_run_can_carry_is_told_before_the_first_step() {
    let directory = tempfile::tempdir().unwrap();
    let path = collection(directory.path(), |at| format!("d {at}"));
    let set = format!("[{{ path = {path:?}, split = 'test' }}]");
    let error =
        finish(&run(directory.path(), &[("test", &set)]).unwrap(), &paths(directory.path()));
    let error = error.err().unwrap().to_string();
    assert!(error.starts_with("document `d 0` is empty, holds white space"), "{error}");
    assert!(!directory.path().join("out/metrics.jsonl").exists());
}
