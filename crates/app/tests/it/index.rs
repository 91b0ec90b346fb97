//! `fastlane index`, `delete`, `compact`, `stat`, `check`: an index from its first day on.

use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

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
    for (input, output) in [("corpus", "first"), ("more", "second"), ("more", "queries --query")] {
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
        "index first --output it.index",
        "index queries --output it.index",
        "index nowhere --output it.index",
        "index first --output first",
        "index first --output first/ids.txt",
        "index first --output other --memory 1GB",
        "index first --output other --memory 1MiB",
        "index first --output other --near-duplicates 2",
        "index first --output other --importance 0",
        "index first --output other --importance 1.5",
        "index first --output other --importance 0.5",
        "index first --output other --diverse 0",
        "index first --output it.index --model a --store 4bit",
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
fn views_of_another_model_stay_out() {
    let folder = views();
    let model = |directory: &str| -> Value {
        serde_json::from_str(&folder.read(&format!("{directory}/model.json"))).unwrap()
    };
    let stat =
        || -> Value { serde_json::from_slice(&folder.run("stat it.index --json").stdout).unwrap() };
    folder.said("index first --output it.index");
    assert_eq!(stat()["settings"]["model"], model("first")["fingerprint"]);
    // the same model, wherever it lies; and views that do not say
    folder.said("index second --output it.index");
    std::fs::remove_file(folder.path().join("first/model.json")).unwrap();
    folder.said("index first --output it.index");
    assert_eq!((&stat()["generation"], &stat()["documents"]), (&3.into(), &3.into()));
    // of another model, the lengths of whose views happen to be the same
    let mut other = model("second");
    let (found, wanted) = (other["fingerprint"].take(), "0123456789abcdef");
    other["fingerprint"] = wanted.into();
    overwrite(&folder.path().join("second/model.json"), other.to_string().as_bytes());
    let said = folder.said("index second --output it.index");
    let words = format!("has views of model {}, wanted {wanted}\nhint: ", found.as_str().unwrap());
    assert!(said.contains(&words), "{said}");
    let model = found.as_str().unwrap();
    let said = folder.said(&format!("index second --output it.index --model {model}"));
    assert!(said.starts_with("exit code 0"), "{said}");
    assert_eq!(stat()["generation"], 4);
}

#[test]
fn views_are_left_out_by_weight_and_diversity() {
    // three views at right angles, the last twice: (1, 0, ..), (0, 1, ..), (0, 0, 1, ..) again
    let mut rows = [[0.0_f32; 8]; 4];
    for (row, place) in rows.iter_mut().zip([0, 1, 2, 2]) {
        row[place] = 1.0;
    }
    let folder = Folder::new(&[
        ("views/vectors.npy", &npy("<f4", "(4, 8)", rows.as_flattened())),
        ("views/weights.npy", &npy("<f4", "(4,)", &[0.5, 0.9, 0.1, 0.7])),
        ("views/doclens.npy", &npy("<u4", "(1,)", &[f32::from_bits(4)])),
        ("views/ids.txt", b"d1\n"),
    ]);
    let kept = |flags: &str| {
        let output = folder.run(&format!("index views --output it.index --json {flags}"));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let _ = std::fs::remove_dir_all(folder.path().join("it.index"));
        (summary["index"]["views"].as_u64().unwrap(), summary["reduction"].to_string())
    };
    let settings = |near, importance, diverse| {
        format!(r#"{{"diverse":{diverse},"importance":{importance},"near_duplicates":{near}}}"#)
    };
    assert_eq!(kept(""), (3, settings("0.95", "null", "null")));
    let all = "--near-duplicates 1";
    assert_eq!(kept(all), (4, settings("null", "null", "null")));
    assert_eq!(kept(&format!("{all} --importance 0.5")), (2, settings("null", "0.5", "null")));
    assert_eq!(kept(&format!("{all} --diverse 1")), (1, settings("null", "null", "1")));
    // 0.7 of 3 views are 3, and two of these are asked for
    let both = "--importance 0.7 --diverse 2";
    assert_eq!(kept(both), (2, settings("0.95", "0.7", "2")));
}

/// A file as NumPy writes it.
fn npy(descr: &str, shape: &str, values: &[f32]) -> Vec<u8> {
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{dict:<117}\n").bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
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
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["problems"][0]["what"], "checksum mismatch");
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
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((value["deleted"].as_u64(), value["documents"].as_u64()), (Some(2), Some(0)));
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
