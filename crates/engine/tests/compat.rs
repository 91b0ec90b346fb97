//! Directories of views in every format so far, written by the versions of their time.
//!
//! Each is in `compat/`, with a README that describes how it was made. They must not be
//! regenerated: a test that fails here means that users cannot read their existing data.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use fastlane_engine::{StoredDocument, StoredDocuments, VectorFilesError, VectorShape};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name)
}

/// Reads the documents of a fixture, and returns its fingerprint.
fn read(name: &str) -> String {
    let documents = StoredDocuments::open(&fixture(name)).unwrap();
    let shape = VectorShape { dim: 8, lane_dim: Some(8), soft_dim: None };
    assert_eq!(documents.shape(), shape);
    let origin = documents.origin().unwrap().clone();
    assert_eq!((origin.model.as_str(), origin.texts.as_str()), ("lanes-split", "documents"));
    let all: Vec<StoredDocument> = documents.map(Result::unwrap).collect();
    let counts = |document: &StoredDocument| {
        let tokens = document.tokens.as_ref().unwrap().len();
        assert_eq!(tokens, document.views.len());
        (document.id.clone(), tokens, document.lane_views.as_ref().unwrap().len())
    };
    let wanted = [("d1", 8, 4), ("d2", 8, 4), ("d3", 9, 4)];
    let wanted = wanted.map(|(id, tokens, lanes)| (id.to_owned(), tokens, lanes));
    assert_eq!(all.iter().map(counts).collect::<Vec<_>>(), wanted);
    origin.fingerprint
}

#[test]
fn views_of_format_1_are_read() {
    assert_eq!(read("views-v1"), "cb3782bab79fba3c");
}

#[test]
fn views_of_format_2_are_read() {
    assert_eq!(read("views-v2"), "f1-f215e8f399eff40199bc306f1feb4908");
}

#[test]
fn newer_views_are_refused_as_newer_whatever_else_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // neither the fields nor the files of a known format
    put(&folder.path().join("model.json"), r#"{"format": 3, "models": ["a", "b"]}"#);
    let error = StoredDocuments::open(folder.path()).unwrap_err();
    assert!(matches!(error, VectorFilesError::Format { found: 3, .. }), "{error}");
    let said = error.to_string();
    assert!(said.ends_with("model.json` has format 3, this program reads 1 to 2"), "{said}");
    assert!(error.hint().unwrap().contains("newer version of fastlane"));
}

#[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
fn put(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
