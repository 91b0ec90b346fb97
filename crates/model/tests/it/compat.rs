//! Checkpoints in every format so far, written by the versions of their time.
//!
//! Each is in `compat/`, with a README that describes how it was made. They must not be
//! regenerated: a test that fails here means that users cannot open their existing models.

use std::path::{Path, PathBuf};

use fastlane_engine::Encoder as _;
use fastlane_model::checkpoint::{Checkpoint, CheckpointError};
use fastlane_model::{FingerprintMatch, Layout, Model, Settings};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name)
}

#[test]
fn a_checkpoint_of_format_1_opens() {
    let model = Model::open(fixture("v1/model"), &Settings::default()).unwrap();
    assert_eq!((model.layout(), model.has_router(), model.dim()), (Layout::FastLane, true, 8));
    assert_eq!(model.encode_query("the light").unwrap().tokens.len(), 12);
    assert_eq!(model.fingerprint().to_string(), "f1-0e4e4baed9259738faa60d7bb81b36fd");
    // a fingerprint that indexes of that time have
    assert_eq!(model.compare("25db90a9f1f10f30").unwrap(), FingerprintMatch::Earlier);
}

#[test]
fn a_newer_checkpoint_is_refused_as_newer_whatever_else_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| put(&folder.path().join(name), text);
    put("config_sentence_transformers.json", r#"{"fastlane": {"format": 3, "towers": ["a"]}}"#);
    put("modules.json", r#"{"first": "a module of a kind that is not known"}"#);
    put("config.json", r#"{"model_type": "what comes after transformers"}"#);
    let error = Checkpoint::open(folder.path()).unwrap_err();
    assert!(matches!(error, CheckpointError::Format { found: 3, wanted: 1, .. }), "{error}");
    let said = error.to_string();
    assert!(said.ends_with("_transformers.json` has format 3, this program reads 1"), "{said}");
    assert!(error.hint().unwrap().contains("newer version of fastlane"));
}

#[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
fn put(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
