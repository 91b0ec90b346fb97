//! Pages of `docs/reference` are made by tests: `FASTLANE_REFERENCE=write` writes them.

use std::path::{Path, PathBuf};

/// A place in `docs/reference`.
pub(crate) fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
}

/// Compares a page with what it should be, or writes it.
#[expect(clippy::disallowed_methods, reason = "pages are under version control")]
pub(crate) fn check_page(name: &str, wanted: &str) {
    let path = reference(name);
    if std::env::var_os("FASTLANE_REFERENCE").is_some_and(|it| it == "write") {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/reference/{name} is out of date: run this test with FASTLANE_REFERENCE=write"
    );
}
