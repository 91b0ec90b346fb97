//! Indexes of earlier versions, as described in `tests/compat/README.md`.

use std::path::Path;

use super::{THOROUGH, found, settings, views};
use crate::{Nominate, OpenIndexError, Reader, Store, Writer};

/// A copy of a fixture, which a test may change.
fn copy(name: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name);
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn indexes_of_format_1_open_and_are_changed() {
    for store in Store::ALL {
        let directory = tempfile::tempdir().unwrap();
        copy(&format!("index-v1-{}", store.name()), directory.path());
        assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
        let reader = Reader::open(directory.path()).unwrap();
        let statistics = reader.statistics();
        assert_eq!((statistics.documents, statistics.deleted), (24, 1));
        assert!(statistics.lists > 0 && reader.settings().store == store);
        assert_eq!(std::fs::read(reader.attachment("note").unwrap()).unwrap(), b"note");
        let query = views(10, 1);
        let best = found(&reader, query.row(0), 9, THOROUGH);
        assert_eq!(best.len(), 9);
        assert_eq!(best, found(&reader, query.row(0), 9, Nominate::Scan));

        let mut writer = Writer::open_existing(directory.path(), settings()).unwrap();
        writer.delete("d10").unwrap();
        writer.compact().unwrap();
        let manifest = std::fs::read_to_string(directory.path().join("generation-000003"));
        assert!(manifest.unwrap().contains(r#""code":"1bit""#), "lists name their codes now");
        assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
        assert!(!Reader::open(directory.path()).unwrap().contains("d10"));
    }
}

#[test]
fn a_later_format_is_refused_before_anything_else_is_read() {
    let directory = tempfile::tempdir().unwrap();
    copy("index-v1-f16", directory.path());
    let manifest = directory.path().join("generation-000002");
    fastlane_durable::replace(&manifest, b"fastlane-index 2 whatever follows\n").unwrap();
    let error = Reader::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenIndexError::Format { found: 2, wanted: 1, .. }), "{error}");
    assert!(error.hint().unwrap().starts_with("update fastlane"));
}
