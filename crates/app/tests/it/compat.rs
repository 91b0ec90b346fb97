//! What earlier versions of the program left, as they left it: each lies in `fixtures/compat`, with
//! a README that says how it was made.

use std::path::Path;

use serde_json::Value;

use crate::encode::{encode, files};
use crate::fastlane::Folder;
use crate::model::with_models;

/// What the fixtures were made of; one line of `BROKEN` cannot be read.
const CORPUS: &[u8] = include_bytes!("fixtures/compat/corpus.jsonl");
const BROKEN: &[u8] = include_bytes!("fixtures/compat/broken.jsonl");

/// A folder with models, the collections and a fixture under its name.
fn with(fixture: &str) -> Folder {
    let folder = with_models(&[("corpus.jsonl", CORPUS), ("broken.jsonl", BROKEN)]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/compat");
    copy(&fixtures.join(fixture), &folder.path().join(fixture));
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn put(folder: &Folder, name: &str, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
    std::fs::write(folder.path().join(name), text).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What an index says of its model.
fn model(folder: &Folder, index: &str) -> String {
    let output = folder.run(&format!("stat {index} --json"));
    let stat: Value = serde_json::from_slice(&output.stdout).unwrap();
    stat["settings"]["model"].as_str().unwrap().to_owned()
}

const NOTE: &str = "has a model fingerprint from an earlier version: `fastlane index \
                    DOCUMENTS --output collection-v1 --update` updates it";

#[test]
fn an_index_with_an_earlier_fingerprint_is_searched_and_renewed_by_update() {
    let folder = with("collection-v1");
    let before = model(&folder, "collection-v1");
    assert_eq!(before.len(), 16, "{before}");
    let search = "search collection-v1 light --model plain";
    let said = folder.said(search);
    assert!(said.starts_with("exit code 0") && said.contains(NOTE), "{said}");
    assert!(said.contains("d1"), "{said}");
    // a search leaves the fingerprint as it is
    assert_eq!(model(&folder, "collection-v1"), before);

    let update = "index corpus.jsonl --output collection-v1 --model plain --update";
    let said = folder.said(update);
    assert!(said.contains("added: 0, replaced: 0, unchanged: 3, deleted: 0"), "{said}");
    let after = model(&folder, "collection-v1");
    assert!(after.starts_with("f1-"), "{after}");
    let said = folder.said(search);
    assert!(said.starts_with("exit code 0") && !said.contains("fingerprint"), "{said}");
    let said = folder.said("check collection-v1");
    assert!(said.starts_with("exit code 0"), "{said}");
    // once
    let generation = |folder: &Folder| {
        let output = folder.run("stat collection-v1 --json");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["generation"].clone()
    };
    let renewed = generation(&folder);
    assert_eq!(folder.run(update).status.code(), Some(0));
    assert_eq!(generation(&folder), renewed);
}

#[test]
fn an_index_with_an_earlier_fingerprint_refuses_another_model() {
    let folder = with("collection-v1");
    let weights = folder.path().join("plain/model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    // the lowest bit of the last bias
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    #[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
    std::fs::write(&weights, bytes).unwrap();
    let found = model(&folder, "collection-v1");
    for command in
        ["search collection-v1 light", "index corpus.jsonl --output collection-v1 --update"]
    {
        let said = folder.said(&format!("{command} --model plain"));
        let words =
            format!("`collection-v1` has views of model {found}, the one at `plain` is f1-");
        assert!(said.starts_with("exit code 1") && said.contains(&words), "{said}");
    }
    assert_eq!(model(&folder, "collection-v1"), found);
}

/// Continues what a version left, and compares the files with those of a run of this program.
fn is_continued(fixture: &str) {
    let folder = with(fixture);
    let rename = |from: &str, to: &str| {
        #[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
        std::fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
    };
    // another version of this program may compute otherwise: the journal says what this one makes
    let said =
        folder.said("encode --precision portable --model plain --input broken.jsonl --output new");
    assert!(said.contains("kept in `new.partial`: 2 documents"), "{said}");
    let now = json(&folder.read("new.partial/progress.json"));
    let mut journal = json(&folder.read(&format!("{fixture}/progress.json")));
    journal["begun"]["sample"] = now["begun"]["sample"].clone();
    put(&folder, &format!("{fixture}/progress.json"), &journal.to_string());
    rename(fixture, "out.partial");
    let (summary, _) = encode(&folder, "--model plain --input corpus.jsonl --output out");
    assert_eq!((&summary["texts"], &summary["continued_after"]), (&3.into(), &2.into()));
    let out = files(&folder.path().join("out"));
    encode(&folder, "--model plain --input corpus.jsonl --output new");
    let new = files(&folder.path().join("new"));
    // the views of the first two are those of the program of that time
    for name in ["ids.txt", "doclens.npy", "tokens.npy", "model.json"] {
        assert!(out[name] == new[name], "{name}");
    }
    assert_eq!(out["vectors.npy"].len(), new["vectors.npy"].len());
    assert_eq!(json(&String::from_utf8_lossy(&out["model.json"]))["format"], 2);
}

#[test]
fn encoding_that_was_begun_in_format_1_is_continued() {
    is_continued("partial-v1");
}

#[test]
fn encoding_that_was_begun_in_format_2_is_continued() {
    is_continued("partial-v2");
}

#[test]
fn encoding_that_was_begun_in_a_newer_format_is_refused_as_newer() {
    let folder = with_models(&[
        ("corpus.jsonl", CORPUS),
        ("out.partial/progress.json", br#"{"format": 3, "steps": []}"#),
        ("out.partial/views.of.another.kind", b""),
    ]);
    let encode = "encode --model plain --input corpus.jsonl --output out";
    let said = folder.said(encode);
    let words = "error: `out.partial/progress.json` has format 3, this program reads 1 to 2\n\
                 hint: continue with the newer version of fastlane, or start again with \
                 --overwrite";
    assert!(said.contains(words), "{said}");
    assert_eq!(folder.names(), ["corpus.jsonl", "out.partial", "plain", "routed"]);
    std::fs::remove_file(folder.path().join("out.partial/views.of.another.kind")).unwrap();
    let said = folder.said(&format!("{encode} --overwrite"));
    assert!(said.starts_with("exit code 0"), "{said}");
}
