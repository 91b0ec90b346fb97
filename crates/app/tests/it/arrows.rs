//! Dependencies point one way: `durable`, `kernels`, `corpus` and `eval` use no other crate of ours.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may know.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("fastlane-durable", &[]),
    ("fastlane-eval", &[]),
    ("fastlane-corpus", &[]),
    ("fastlane-kernels", &[]),
    ("fastlane-engine", &["fastlane-durable", "fastlane-kernels"]),
    ("fastlane-model", &["fastlane-durable", "fastlane-engine", "fastlane-kernels"]),
    (
        "fastlane-train",
        &[
            "fastlane-corpus",
            "fastlane-durable",
            "fastlane-engine",
            "fastlane-eval",
            "fastlane-model",
        ],
    ),
    ("fastlane", &["fastlane-corpus", "fastlane-durable", "fastlane-engine", "fastlane-model"]),
    ("fastlane-serve", &["fastlane", "fastlane-durable"]),
    (
        "fastlane-app",
        &[
            "fastlane-serve",
            "fastlane",
            "fastlane-corpus",
            "fastlane-durable",
            "fastlane-engine",
            "fastlane-eval",
            "fastlane-model",
            "fastlane-train",
        ],
    ),
    ("fastlane-fuzz", &["fastlane-corpus", "fastlane-engine", "fastlane-eval", "fastlane-model"]),
];

#[test]
fn arrows_point_one_way() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();

    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), allowed.len(), "every crate has its arrows in MAY_KNOW");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let may_know = allowed.get(name).unwrap_or_else(|| panic!("no arrows for {name}"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = dependency["name"].as_str().unwrap();
            let ours = dependency.starts_with("fastlane");
            assert!(!ours || may_know.contains(&dependency), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn every_crate_obeys_the_workspace_lints() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for entry in std::fs::read_dir(crates).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
    }
}
