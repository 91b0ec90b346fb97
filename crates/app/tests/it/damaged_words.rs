//! Searches of damaged words end with one sentence, as all errors do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::fastlane::{Folder, said};
use crate::model::with_models;

/// Bytes of a file that are damaged in turn, spread over all of it.
const FLIPS: usize = 24;

fn files(folder: &Folder, ending: &str) -> Vec<PathBuf> {
    let words = std::fs::read_dir(folder.path().join("it.index")).unwrap();
    let words = words
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("words-"));
    let files = words.flat_map(|path| std::fs::read_dir(path).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

fn search(folder: &Folder) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fastlane"))
        .args(["search", "it.index", "light ship", "--hybrid", "--filter", "lang = l3 and n > 2"])
        .current_dir(folder.path())
        // with these, the program prints a backtrace
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .output()
        .unwrap()
}

#[test]
fn defect_c2_a_search_of_damaged_words_ends_with_a_sentence() {
    let note = |one: usize| {
        format!(
            "{{\"id\": \"d{one}\", \"text\": \"the light of ship {one}\", \"n\": {one}, \"lang\": \"l{}\"}}\n",
            one % 7
        )
    };
    let notes: String = (0..60).map(note).collect();
    let folder = with_models(&[("notes.jsonl", notes.as_bytes())]);
    let indexed = folder.said("index notes.jsonl --output it.index --model plain");
    assert!(indexed.starts_with("exit code 0"), "{indexed}");
    for ending in ["fast", "pos"] {
        for path in files(&folder, ending) {
            let whole = std::fs::read(&path).unwrap();
            for at in (0..whole.len()).step_by((whole.len() / FLIPS).max(1)) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x10;
                overwrite(&path, &bytes);
                let said = said(&search(&folder));
                let words = said.split_once("--- stderr\n").unwrap().1;
                let failed = !said.starts_with("exit code 0\n");
                let told = words.lines().filter(|line| line.starts_with("error: ")).count();
                assert_eq!(told, usize::from(failed), "{ending} {at}: {said}");
                assert!(!words.contains("panicked at"), "{ending} {at}: {said}");
            }
            overwrite(&path, &whole);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
