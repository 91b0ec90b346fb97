//! `fastlane index` of documents and `fastlane search`: from files to answers.

use std::io::Write as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::Value;

use crate::fastlane::{Folder, said};
use crate::model::with_models;

const NOTES: &[u8] = b"{\"_id\": \"d1\", \"title\": \"Light\", \"text\": \"the light of the harbour\", \"lang\": \"en\"}\n\
    {\"_id\": \"d2\", \"text\": \"what is a ship?\", \"lang\": \"de\"}\n\
    {\"_id\": \"d3\", \"text\": \"nine ships\", \"lang\": \"fr\"}\n";
const QUERIES: &[u8] =
    b"{\"_id\": \"q1\", \"text\": \"light\"}\n{\"_id\": \"q2\", \"text\": \"a ship\"}\n";

/// Without counts of bytes, which depend on the length of the path of the model.
fn without_sizes(words: &str) -> String {
    let mut parts: Vec<&str> = words.split(' ').collect();
    for at in 1..parts.len() {
        let is_number =
            !parts[at - 1].is_empty() && parts[at - 1].bytes().all(|it| it.is_ascii_digit());
        if parts[at].starts_with("bytes") && is_number {
            parts[at - 1] = "N";
        }
    }
    parts.join(" ")
}

/// Without numbers that differ from run to run, and from CPU to CPU.
fn timeless(words: &str) -> String {
    let mut out = String::new();
    let mut digits = words.chars().peekable();
    while let Some(letter) = digits.next() {
        out.push(letter);
        // digits after a point are a measurement
        if letter == '.' && digits.peek().is_some_and(char::is_ascii_digit) {
            while digits.peek().is_some_and(char::is_ascii_digit) {
                digits.next();
            }
            while out[..out.len() - 1].ends_with(|letter: char| letter.is_ascii_digit()) {
                out.remove(out.len() - 2);
            }
            out.replace_range(out.len() - 1.., "N");
        }
    }
    out
}

fn indexed() -> Folder {
    let folder = with_models(&[("notes.jsonl", NOTES), ("queries.jsonl", QUERIES)]);
    let said = folder.said("index notes.jsonl --output it.index --model plain");
    assert!(said.starts_with("exit code 0"), "{said}");
    folder
}

#[test]
fn documents_are_indexed_and_found() {
    let first = NOTES.split_inclusive(|&byte| byte == b'\n').next().unwrap();
    let folder = with_models(&[("notes.jsonl", NOTES), ("less.jsonl", first)]);
    let mut all = String::new();
    for arguments in [
        "index notes.jsonl --output it.index --model plain",
        "search it.index light --filter lang=en",
        "search it.index light --filter lang=en --explain",
        "search it.index light --filter lang=en --rerank 0 --lanes 2",
        "search it.index ship --filter lang=de --hybrid=scores",
        "search it.index light --filter colour=red",
        "index notes.jsonl --output it.index --update",
        "index less.jsonl --output it.index --update",
        "delete it.index d1 nobody",
        "check it.index",
        "compact it.index",
    ] {
        let said = without_sizes(&timeless(&folder.said(arguments)));
        all += &format!("$ fastlane {arguments}\n{said}\n");
    }
    assert_snapshot!(all);
}

#[test]
fn answers_are_json_for_programs() {
    let folder = indexed();
    let output = folder.run("search it.index harbour --json --hybrid -k 2");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hits = answer["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 2);
    for hit in hits {
        assert!(hit["id"].is_string() && hit["score"].is_number() && hit["snippet"].is_array());
    }
    let alpha = answer["tokens"].as_array().unwrap().iter().map(|it| it["alpha"].as_f64().unwrap());
    assert!((alpha.sum::<f64>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_file_of_queries_becomes_a_run() {
    let folder = indexed();
    let said = folder.said("search it.index --queries queries.jsonl --run it.run");
    assert!(said.starts_with("exit code 0"), "{said}");
    let run = folder.read("it.run");
    assert_eq!(run.lines().count(), 6, "{run}");
    assert!(run.lines().all(|line| line.ends_with(" fastlane")), "{run}");
    let exhaustive =
        folder.said("search it.index --queries queries.jsonl --run - --lanes all --tag x");
    assert!(exhaustive.contains("q2 Q0 d"), "{exhaustive}");
}

#[test]
fn each_line_of_a_pipe_is_a_query() {
    let folder = indexed();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args(["search", "it.index", "-k", "1"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"light\n\nship\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("1\t")).count(), 2, "{text}");
}

#[test]
fn an_index_that_is_made_for_nothing_is_not_left() {
    let cut = [NOTES, b"{\"_id\": \"d4\""].concat();
    let folder = with_models(&[("notes.jsonl", NOTES), ("cut.jsonl", &cut)]);
    let said = folder.said("index cut.jsonl --output it.index --model plain --strict");
    assert!(said.starts_with("exit code 1") && said.contains("cut.jsonl"), "{said}");
    assert!(!folder.path().join("it.index").exists(), "{said}");
    // what was there before stays
    assert!(
        folder.said("index notes.jsonl --output it.index --model plain").starts_with("exit code 0")
    );
    assert!(folder.said("index cut.jsonl --output it.index --strict").starts_with("exit code 1"));
    let found = folder.said("search it.index light");
    assert!(found.contains("d1"), "{found}");
}

#[test]
fn what_cannot_be_searched_is_said() {
    let folder = indexed();
    let encoded = folder.said("encode --model plain --input notes.jsonl --output views");
    assert!(encoded.starts_with("exit code 0"), "{encoded}");
    let bare = folder.said("index views --output bare.index");
    assert!(bare.starts_with("exit code 0"), "{bare}");
    let mut all = String::new();
    for arguments in [
        "search nowhere light",
        "search bare.index light",
        "search it.index light --filter lang=",
        "search it.index light --lanes 0",
        "search it.index light --model routed",
        "search it.index light --model nowhere",
        "search it.index light --json --explain",
        "search it.index --queries queries.jsonl",
        "search it.index --queries nowhere --run it.run",
        "index notes.jsonl --output plain --model plain",
        "index notes.jsonl --output it.index --model routed",
        "index notes.jsonl --output it.index --store 4bit",
        "index notes.jsonl --output it.index --importance 0.5",
        "index views --output it.index",
        "index views --output bare.index --update",
    ] {
        all += &format!("$ fastlane {arguments}\n{}\n", timeless(&folder.said(arguments)));
    }
    let empty = said(&folder.command(&["search", "it.index", " "]));
    all += &format!("$ fastlane search it.index ' '\n{empty}\n");
    // a fingerprint tells models apart, and differs from CPU to CPU no more than they do
    assert_snapshot!(all);
}
