//! `fastlane index`, `delete`, `compact`, `stat`, `check`: an index from its first day on.

use std::path::Path;

use insta::assert_snapshot;

use crate::fastlane::Folder;
use crate::model::with_models;

/// Without what differs from run to run.
fn timeless(words: &str) -> String {
    let time = |line: &str| match line.split_once(" s; ") {
        Some((before, after)) => {
            let counts = before.rsplit_once(' ').map_or(before, |(counts, _)| counts);
            format!("{counts} (time) s; {after}\n")
        }
        None => format!("{line}\n"),
    };
    words.lines().map(time).collect()
}

/// Views of documents, made by a tiny model.
fn views() -> Folder {
    let corpus = b"{\"_id\": \"d1\", \"text\": \"the light of the harbour\"}\n\
        {\"_id\": \"d2\", \"text\": \"what is a ship?\"}\n";
    let more = b"{\"_id\": \"d2\", \"text\": \"the ship is on the light\"}\n\
        {\"_id\": \"d3\", \"text\": \"\"}\n";
    let folder = with_models(&[("corpus.jsonl", corpus), ("more.jsonl", more)]);
    for (input, output) in [("corpus", "first"), ("more", "second")] {
        let said = folder.said(&format!(
            "encode --precision portable --model plain --input {input}.jsonl --output {output}"
        ));
        assert!(said.starts_with("exit code 0"), "{said}");
    }
    folder
}

#[test]
fn an_index_grows_shrinks_and_stays_whole() {
    let folder = views();
    let mut all = String::new();
    for arguments in [
        "index first --output it.index",
        "index second --output it.index",
        "stat it.index",
        "delete it.index d1 d1 nobody",
        "stat it.index",
        "compact it.index",
        "stat it.index",
        "check it.index",
        "index first --output small.index --store 4bit",
        "index second --output small.index",
        "stat small.index",
    ] {
        all += &format!("$ fastlane {arguments}\n{}\n", timeless(&folder.said(arguments)));
    }
    assert_snapshot!(all);
}

#[test]
fn what_cannot_be_is_said() {
    let folder = views();
    let said = folder.said("index first --output it.index --model a");
    assert!(said.starts_with("exit code 0"), "{said}");
    let mut all = String::new();
    for arguments in [
        "index first --output it.index --model b",
        "index nowhere --output it.index",
        "index first --output first",
        "index first --output other --memory 1GB",
        "index first --output other --memory 1MiB",
        "index first --output other --near-duplicates 2",
        "index first --output it.index --store 4bit",
        "index first --output other --store 2bit",
        "stat nowhere",
        "delete nowhere d1",
        "delete it.index",
        "check first",
    ] {
        all += &format!("$ fastlane {arguments}\n{}\n", timeless(&folder.said(arguments)));
    }
    assert_snapshot!(all);
}

#[test]
fn damage_is_named() {
    let folder = views();
    folder.said("index first --output it.index");
    let path = folder.path().join("it.index/000001-1.views");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[3] ^= 1;
    overwrite(&path, &bytes);
    assert_snapshot!(folder.said("check it.index"));
    let json = folder.run("check it.index --json");
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["problems"][0]["what"], "its checksum is another");
}

#[test]
fn ids_come_from_standard_input_too() {
    use std::io::Write as _;
    let folder = views();
    folder.said("index first --output it.index");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args(["delete", "it.index", "-", "--json"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"d1\nd2\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((value["deleted"].as_u64(), value["documents"].as_u64()), (Some(2), Some(0)));
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
