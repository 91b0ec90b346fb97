//! `fastlane train` as people meet it: a run, the same again, a report, and what is refused.

use insta::assert_snapshot;

use crate::fastlane::Folder;
use crate::model::with_models;

const RUN: &[u8] = b"model = \"plain\"

[architecture]
dim = 16
document_tokens = 24

[[data]]
kind = \"jsonl\"
path = \"pairs.jsonl\"

[schedule]
steps = 4
batch = 2
";

const PAIRS: &[u8] = b"{\"query\":\"light\",\"positive\":\"the lighthouse\"}
{\"query\":\"ship\",\"positive\":\"a ship on the harbour\",\"negatives\":[\"a bee\"]}
{\"query\":\"what is a bee\",\"positive\":[\"a bee\",\"the bee is nine\"]}
";

pub(crate) fn folder() -> Folder {
    with_models(&[("run.toml", RUN), ("pairs.jsonl", PAIRS)])
}

/// What a command said, without the numbers that differ from machine to machine.
fn told(folder: &Folder, arguments: &str) -> String {
    let said = folder.said(arguments);
    let line = |line: &str| match line.find(" loss ").or(line.find(" at most ")) {
        Some(place) => format!("{} (figures)\n", &line[..place]),
        None => format!("{line}\n"),
    };
    format!("$ fastlane {arguments}\n{}\n", said.lines().map(line).collect::<String>())
}

#[test]
fn a_run_ends_in_a_model_that_encodes() {
    let folder = folder();
    let mut all = String::new();
    for arguments in [
        "train run.toml --output out",
        "train run.toml --output out",
        "train run.toml --output out --set seed=2",
        "train run.toml --output out --report",
        "train run.toml --output rates --sweep lr=1e-5,1e-4",
        "explain light --model out/model",
    ] {
        let told = told(&folder, arguments);
        all += match arguments.starts_with("explain") {
            true => told.lines().take(2).fold(String::new(), |all, line| all + line + "\n"),
            false => told,
        }
        .as_str();
    }
    assert_snapshot!(all);
    assert!(folder.path().join("rates/rate-1e-4/model/model.safetensors").exists());
    assert!(folder.read("out/report.html").contains("4 steps, the last with a loss of "));
    assert_eq!(folder.read("out/metrics.jsonl").lines().count(), 4);
}

#[test]
fn what_is_no_run_is_refused_by_its_key() {
    let folder = folder();
    let mut all = String::new();
    for arguments in [
        "train absent.toml --output out",
        "train run.toml --output out --set architecture.dimm=8",
        "train run.toml --output out --set architecture.dim=9",
        "train run.toml --output out --set architecture.tuned_layers=1",
        "train run.toml --output out --set data.0=1",
        "train run.toml --output out --set schedule.batch=4",
        "train run.toml --output out --set model=absent",
        "train run.toml --output out --set device=cuda",
        "train run.toml --output out --set seed",
        "train run.toml --output absent --report",
        // their own files are where the run's would be
        "train run.toml --output .",
        // nothing of a sweep begins before all of it is read
        "train run.toml --output rates --sweep lr=1e-5,-1.0",
    ] {
        all += &told(&folder, arguments);
    }
    assert_snapshot!(all);
    assert_eq!(folder.read("run.toml").as_bytes(), RUN);
    assert!(!folder.path().join("rates").exists());
}

#[test]
fn a_sweep_goes_on_after_a_run_that_diverges() {
    let folder = folder();
    let arguments = "train run.toml --output rates --set schedule.warm_up=0.0 --sweep lr=1e30,1e-5";
    assert_snapshot!(told(&folder, arguments));
    assert!(folder.path().join("rates/rate-1e-5/model/model.safetensors").exists());
}
