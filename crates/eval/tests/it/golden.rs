//! Agreement with foreign implementations: trec_eval, ir_measures, scipy.
//!
//! The expected values next to the checkout were made by trec_eval 10; those in `golden/` by
//! `golden/make.py`, which names its sources.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use fastlane_eval::{Comparison, Evaluation, Measure, Missing, Qrels, Resampling, Run};
use serde_json::Value;

use crate::shared_data::shared_data;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn run(path: &Path) -> Run {
    Run::read(File::open(path).unwrap(), &path.display().to_string()).unwrap()
}

fn qrels(path: &Path) -> Qrels {
    Qrels::read(File::open(path).unwrap(), &path.display().to_string()).unwrap()
}

/// Checks each line `measure query value` of a known measure; returns the number of these.
fn agree(expected: &str, run: &Run, qrels: &Qrels, missing: Missing, level: i32) -> usize {
    let mut checked = 0;
    let mut evaluations = HashMap::new();
    for line in expected.lines() {
        let [name, query, value] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            continue;
        };
        let Some(measure) = measure(name, level) else { continue };
        let evaluation = evaluations
            .entry(name)
            .or_insert_with(|| Evaluation::new(run, qrels, &[measure], missing).unwrap());
        let ours = match query {
            "all" => evaluation.mean(0),
            _ => {
                let at = evaluation.queries().position(|q| q == query);
                evaluation.values(0)[at.unwrap_or_else(|| panic!("no value for query {query}"))]
            }
        };
        assert_eq!(format!("{ours:.4}"), value, "{name} of query {query}");
        checked += 1;
    }
    checked
}

/// trec_eval sets the level of relevance for all measures at once (`-l`); nDCG ignores it.
fn measure(name: &str, level: i32) -> Option<Measure> {
    let measure: Measure = name.parse().ok()?;
    let spelled = measure.to_string();
    if level == 1 || spelled.starts_with("nDCG") {
        return Some(measure);
    }
    let (head, cutoff) = spelled.split_once('@').map_or((&*spelled, None), |(h, k)| (h, Some(k)));
    let cutoff = cutoff.map_or_else(String::new, |k| format!("@{k}"));
    Some(format!("{head}(rel={level}){cutoff}").parse().unwrap())
}

#[test]
fn published_runs_agree_with_trec_eval_query_by_query() {
    let Some(data) = shared_data("reference", "published_runs_agree_with_trec_eval") else {
        return;
    };
    let mut files = 0;
    let mut checked = 0;
    for entry in fs::read_dir(data.join("expected")).unwrap() {
        let expected = entry.unwrap().path();
        let name = expected.file_stem().unwrap().to_str().unwrap();
        let judged = ["dl19-passage", "dl20-passage", "cacm"]
            .into_iter()
            .find(|judged| name.contains(judged.trim_end_matches("-passage")))
            .unwrap_or_else(|| panic!("no qrels known for {name}"));
        let run = run(&data.join(format!("runs/{name}.run")));
        let qrels = qrels(&data.join(format!("qrels/qrels.{judged}.txt")));
        let expected = fs::read_to_string(&expected).unwrap();
        let lines = expected.lines().count();
        let agreed = agree(&expected, &run, &qrels, Missing::Skip, 1);
        assert_eq!(agreed, lines, "every line of {name} is checked");
        files += 1;
        checked += agreed;
    }
    assert_eq!((files, checked), (10, 1919));
}

#[test]
fn trec_evals_own_tests_pass_for_the_measures_we_have() {
    let Some(data) = shared_data("reference/trec_eval_test", "trec_evals_own_tests") else {
        return;
    };
    let expected = |name: &str| fs::read_to_string(data.join(name)).unwrap();
    let results = run(&data.join("results.test"));
    let judged = qrels(&data.join("qrels.test"));

    let agreed = |name| agree(&expected(name), &results, &judged, Missing::Skip, 1);
    assert_eq!(agreed("out.test"), 11); // map, recip_rank and P at nine cutoffs
    assert_eq!(agreed("out.test.a"), 42);
    assert_eq!(agreed("out.test.aq"), 4 * 42); // three queries and their mean
    assert_eq!(agreed("out.test.meas_params"), 4 * 11);

    let commented = qrels(&data.join("qrels.test.with-comments"));
    assert_eq!(agree(&expected("out.test"), &results, &commented, Missing::Skip, 1), 11);

    let levels = qrels(&data.join("qrels.rel_level"));
    let agreed = agree(&expected("out.test.aql"), &results, &levels, Missing::Skip, 2);
    assert_eq!(agreed, 4 * 42);
}

#[test]
fn the_complete_average_agrees_with_trec_eval() {
    let Some(data) = shared_data("reference/trec_eval_test", "the_complete_average") else {
        return;
    };
    // trec_eval ignores what follows the tag, we refuse it: keep the six columns that count.
    let text = fs::read_to_string(data.join("results.trunc")).unwrap();
    let six = |line: &str| line.split_whitespace().take(6).collect::<Vec<_>>().join(" ") + "\n";
    let text: String = text.lines().map(six).collect();
    let run = Run::read(text.as_bytes(), "results.trunc").unwrap();
    let judged = qrels(&data.join("qrels.test"));
    let expected = fs::read_to_string(data.join("out.test.aqc")).unwrap();
    assert_eq!(agree(&expected, &run, &judged, Missing::Zero, 1), 4 * 42);
}

fn golden(name: &str) -> Value {
    let text = fs::read_to_string(Path::new(GOLDEN).join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_measure_agrees_with_ir_measures() {
    let (run, qrels) =
        (run(&Path::new(GOLDEN).join("run.txt")), qrels(&Path::new(GOLDEN).join("qrels.txt")));
    let expected = golden("measures.json");
    for (name, expected) in expected.as_object().unwrap() {
        // gdeval, which ir_measures uses for exponential gains, prints five decimals.
        let tolerance = if name.contains("exp") { 5.1e-6 } else { 1e-12 };
        let evaluation =
            Evaluation::new(&run, &qrels, &[name.parse().unwrap()], Missing::Skip).unwrap();
        let expected = expected.as_object().unwrap();
        assert_eq!(evaluation.queries().len(), expected.len());
        for (query, &ours) in evaluation.queries().zip(evaluation.values(0)) {
            let theirs = expected[query].as_f64().unwrap();
            assert!((ours - theirs).abs() < tolerance, "{name} of {query}: {ours} {theirs}");
        }
    }
}

#[test]
fn p_values_and_intervals_agree_with_scipy() {
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    for case in golden("significance.json").as_array().unwrap() {
        let resampling = Resampling { rounds: 20_000, ..Resampling::default() };
        let (system, baseline) = (numbers(&case["system"]), numbers(&case["baseline"]));
        let comparison = Comparison::new(&system, &baseline, &resampling);
        // 2^12 patterns are fewer than the rounds: exact on both sides.
        let p_value = case["p_value"].as_f64().unwrap();
        assert!((comparison.p_value - p_value).abs() < 1e-12, "{comparison:?} {p_value}");
        let interval = numbers(&case["interval"]);
        assert!((comparison.interval.0 - interval[0]).abs() < 5e-3, "{comparison:?}");
        assert!((comparison.interval.1 - interval[1]).abs() < 5e-3, "{comparison:?}");
    }
}
