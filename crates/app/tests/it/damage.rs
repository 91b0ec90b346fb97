//! What every command says of a damaged collection.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fastlane::Folder;
use crate::model::with_models;

/// What damages an index.
type Damage = fn(&Path);

const COMMANDS: [&str; 6] = [
    "check it.index",
    "stat it.index",
    "compact it.index",
    "delete it.index d1",
    "search it.index light --hybrid",
    "serve it.index --listen 127.0.0.1:0",
];

fn indexed() -> Folder {
    let notes = b"{\"_id\": \"d1\", \"text\": \"the light of the harbour\"}\n";
    let folder = with_models(&[("notes.jsonl", notes)]);
    let said = folder.said("index notes.jsonl --output it.index --model plain");
    assert!(said.starts_with("exit code 0"), "{said}");
    folder
}

fn words(index: &Path) -> PathBuf {
    let mut entries = fs::read_dir(index).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.to_string_lossy().contains("words-")).unwrap()
}

fn cut_a_store(index: &Path) {
    let mut files = fs::read_dir(words(index)).unwrap().map(|entry| entry.unwrap().path());
    let store = files.find(|path| path.extension().is_some_and(|it| it == "store")).unwrap();
    let bytes = fs::read(&store).unwrap();
    fastlane_durable::replace(&store, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn defect_a5_every_command_tells_a_damaged_collection_in_one_sentence() {
    let damages: [(&str, Damage); 6] = [
        ("CURRENT is broken", |index| {
            fastlane_durable::replace(&index.join("views/CURRENT"), b"x").unwrap();
        }),
        ("CURRENT is gone", |index| fs::remove_file(index.join("views/CURRENT")).unwrap()),
        ("the manifest is gone", |index| {
            fs::remove_file(index.join("views/generation-000002")).unwrap();
        }),
        ("the views are gone", |index| fs::remove_dir_all(index.join("views")).unwrap()),
        ("the words are gone", |index| fs::remove_dir_all(words(index)).unwrap()),
        ("a file of words is cut off", cut_a_store),
    ];
    for (name, damage) in damages {
        let folder = indexed();
        damage(&folder.path().join("it.index"));
        for command in COMMANDS {
            let said = folder.said(command);
            let told = format!("{name}: {command}: {said}");
            assert!(said.starts_with("exit code 1"), "{told}");
            assert!(said.contains("is damaged: "), "{told}");
            assert_eq!(said.matches("error: ").count(), 1, "{told}");
            assert!(!said.contains("panicked"), "{told}");
        }
    }
}
