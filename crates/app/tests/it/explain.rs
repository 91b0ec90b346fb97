//! `fastlane explain`: tokens, alpha and lanes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::fastlane::{Folder, said};
use crate::model::with_models;

/// What was said, but for how long it took.
fn timeless(output: &Output) -> String {
    let line = |line: &str| match line.split_once(" encoded in ") {
        Some((before, _)) => format!("{before} encoded in (time)\n"),
        None => format!("{line}\n"),
    };
    said(output).lines().map(line).collect()
}

fn explain(folder: &Folder, arguments: &[&str]) -> Output {
    folder.command(&[&["explain"], arguments, &["--precision", "portable"]].concat())
}

/// Feeds bytes into standard input.
fn explain_bytes(folder: &Folder, bytes: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args("explain - --model routed --precision portable".split(' '))
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_lanes_of_a_query() {
    let folder = with_models(&[]);
    let lanes = ["the lighthouse is on the harbour.", "--model", "routed", "--lanes", "3"];
    assert_snapshot!(timeless(&explain(&folder, &lanes)));
}

#[test]
fn a_query_for_programs() {
    let folder = with_models(&[]);
    let text = ["a lighthouse", "--model", "routed", "--json", "--lanes", "2"];
    let output = explain(&folder, &text);
    let mut found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["milliseconds"].take().as_f64().unwrap() > 0.0);
    let tokens = found["tokens"].as_array_mut().unwrap();
    let sum = |key: &str, tokens: &[Value]| -> f64 {
        tokens.iter().filter_map(|token| token[key].as_f64()).sum()
    };
    assert!((sum("alpha", tokens) - 1.0).abs() < 1e-5);
    assert!((sum("weight", tokens) - 1.0).abs() < 1e-5);
    for token in tokens {
        for key in ["alpha", "weight"] {
            if let Some(share) = token[key].as_f64() {
                token[key] = json!((share * 1e4).round() / 1e4);
            }
        }
    }
    assert_snapshot!(serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn without_a_router_no_token_is_a_lane() {
    let folder = with_models(&[]);
    assert_snapshot!(timeless(&explain(&folder, &["what is a ship?", "--model", "plain"])));
}

#[test]
fn texts_of_every_length_are_valid() {
    let folder = with_models(&[]);
    let mut all = String::new();
    // the 16 tokens of a query leave room for 13 of the text
    for text in [String::new(), "ship ".repeat(13), "ship ".repeat(14) + "light"] {
        all += &format!(
            "$ fastlane explain {text:?}\n{}\n",
            timeless(&explain(&folder, &[&text, "--model", "routed"]))
        );
    }
    assert_snapshot!(all);
}

#[test]
fn a_query_may_come_from_standard_input() {
    let folder = with_models(&[]);
    let given = explain(&folder, &["a light", "--model", "routed"]);
    for bytes in [&b"a light\n"[..], b"a light\r\n", b"a light"] {
        assert_eq!(timeless(&explain_bytes(&folder, bytes)), timeless(&given));
    }
    let broken = said(&explain_bytes(&folder, b"a \xff"));
    assert!(broken.ends_with("error: standard input is not UTF-8 at byte 3, wanted a text\n"));
}

#[test]
fn an_argument_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let output = Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .arg("explain")
        .arg(std::ffi::OsStr::from_bytes(b"a \xff"))
        .args(["--model", "routed"])
        .output()
        .unwrap();
    assert_snapshot!(said(&output));
}

#[test]
fn lanes_that_nothing_picks_are_told() {
    let folder = with_models(&[]);
    let output = explain(&folder, &["ship", "--model", "plain", "--lanes", "2"]);
    assert!(said(&output).contains("none is a lane, --lanes is ignored\n"));
}

#[test]
fn waiting_for_a_query_can_be_interrupted() {
    use std::os::unix::process::ExitStatusExt as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args("explain - --model routed".split(' '))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    // Ctrl-C does the same, but what runs in the background of a script is born deaf to it
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let terminated = 15;
    assert_eq!(child.wait().unwrap().signal(), Some(terminated));
}
