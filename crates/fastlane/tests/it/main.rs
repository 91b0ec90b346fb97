//! Collections as they live, as they are damaged, and as writers race for them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod collection;
mod compat;
mod damage;
mod defects;
mod encoders;
mod kills;
mod options;
mod passages;
mod race;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastlane::{Collection, Document, Model, Settings};
use tempfile::TempDir;

fn checkpoint(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden").join(name)
}

fn model(name: &str) -> Arc<Model> {
    Arc::new(Model::open(checkpoint(name), &Settings::default()).unwrap())
}

/// A document with one fact.
fn document(id: &str, text: &str) -> Document {
    let metadata = serde_json::json!({ "words": text.split(' ').count() });
    let metadata = metadata.as_object().unwrap().clone();
    Document { id: id.to_owned(), text: text.to_owned(), metadata, ..Document::default() }
}

/// The names of the directories of words in a collection.
fn words(place: &Path) -> Vec<String> {
    let names = std::fs::read_dir(place).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("words-")).collect()
}

/// What a check finds.
fn problems(place: &Path) -> Vec<String> {
    let checked = Collection::check(place, |_| true).unwrap();
    checked.problems.iter().map(|it| format!("{}: {}", it.path.display(), it.what)).collect()
}

/// Copies a directory and all that is in it.
fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_all(&path, &to),
            false => drop(std::fs::copy(&path, to).unwrap()),
        }
    }
}

/// A directory in memory where the system has such a place: tests that commit a thousand times
/// would wait for the disk most of the time.
fn memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("fastlane-");
    match memory.is_dir() {
        true => builder.tempdir_in(memory).unwrap(),
        false => builder.tempdir().unwrap(),
    }
}
