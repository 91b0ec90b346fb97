//! Manifests that are valid, damaged, or written by newer programs.

use super::*;
use fastlane_durable::Disk;

fn manifest(generation: u64) -> Manifest {
    let settings = IndexSettings {
        dim: 8,
        token_dim: None,
        lanes_only: false,
        model: String::new(),
        store: Store::default(),
    };
    Manifest { generation, ..Manifest::new(settings) }
}

#[test]
fn the_last_commit_holds() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path());
    let none = Manifest::current(directory.path()).unwrap_err();
    assert!(matches!(none, OpenIndexError::Absent { .. }));
    for generation in 1..3 {
        manifest(generation).commit(&disk).unwrap();
        assert_eq!(Manifest::current(directory.path()).unwrap().0, manifest(generation));
    }
}

#[test]
fn every_flip_of_a_byte_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    manifest(3).commit(&Disk::new(directory.path())).unwrap();
    for name in [CURRENT, "generation-000003"] {
        let path = directory.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1 << (place % 8);
            overwrite(&path, &broken);
            assert!(Manifest::current(directory.path()).is_err(), "{name} {place}");
        }
        overwrite(&path, &bytes);
    }
    assert!(Manifest::current(directory.path()).is_ok());
}

#[test]
fn what_cannot_be_is_refused_whatever_its_checksum() {
    let directory = tempfile::tempdir().unwrap();
    let said = |dim, token_dim| {
        let settings = IndexSettings {
            dim,
            token_dim,
            lanes_only: false,
            model: String::new(),
            store: Store::F16,
        };
        let empty = |name: &str| FileEntry { name: name.to_owned(), bytes: 0, crc32: 0 };
        let rows = RowsEntry { rows: empty("rows"), ends: empty("ends"), positions: None };
        let segment = SegmentEntry {
            documents: 0,
            ids: empty("ids"),
            id_ends: empty("id-ends"),
            order: empty("order"),
            views: rows.clone(),
            tokens: Some(rows),
            lists: None,
            deleted: None,
        };
        let odd = Manifest { segments: vec![segment], ..Manifest::new(settings) };
        odd.commit(&Disk::new(directory.path())).unwrap();
        let error = Manifest::current(directory.path()).err().map(|error| error.to_string());
        std::fs::remove_file(directory.path().join("generation-000000")).unwrap();
        error.map(|error| error.split_once(": ").unwrap().1.to_owned())
    };
    assert_eq!(said(8, Some(16)), None);
    assert_eq!(said(0, Some(16)).unwrap(), "invalid view dimension 0");
    assert_eq!(said(8, Some(1032)).unwrap(), "invalid view dimension 1032");
    let other = "its segments have other views than its settings say";
    assert_eq!(said(8, None).unwrap(), other);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    manifest(1).commit(&Disk::new(directory.path())).unwrap();
    overwrite(&directory.path().join("generation-000001"), b"fastlane-index 2 0\n{}\n");
    let error = Manifest::current(directory.path()).unwrap_err();
    assert!(error.to_string().ends_with("has format 2, this program reads 1"), "{error}");
}

#[test]
fn lists_say_how_their_codes_were_made() {
    let entry = |name: &str| format!(r#""{name}":{{"name":"x","bytes":0,"crc32":0}}"#);
    let files = ["ends", "codes", "factors", "numbers"].map(entry).join(",");
    // manifests that were written before have no kind
    let old: ListsEntry = serde_json::from_str(&format!("{{{files}}}")).unwrap();
    assert_eq!(old.code, ONE_BIT);
    let new = ListsEntry { code: "4bit".to_owned(), ..old };
    let rows = RowsEntry { rows: new.ends.clone(), ends: new.ends.clone(), positions: None };
    let segment = SegmentEntry {
        documents: 0,
        ids: new.ends.clone(),
        id_ends: new.ends.clone(),
        order: new.ends.clone(),
        views: rows,
        tokens: None,
        lists: Some(new),
        deleted: None,
    };
    let directory = tempfile::tempdir().unwrap();
    let later = Manifest { segments: vec![segment], ..manifest(1) };
    later.commit(&Disk::new(directory.path())).unwrap();
    let error = Manifest::current(directory.path()).unwrap_err();
    let wanted = "has codes of kind `4bit`, this program reads `1bit`";
    assert!(error.to_string().ends_with(wanted), "{error}");
}

#[test]
fn files_of_others_are_told_apart() {
    for name in ["CURRENT", "lock", "generation-000012", "generation-000012.current"] {
        assert!(is_ours(name), "{name}");
    }
    for name in ["000012-0.views", "1000000-12.list-ends"] {
        assert!(is_ours(name), "{name}");
    }
    for name in [
        "notes.txt",
        "000012",
        "generation-12",
        "12-0.views",
        "000012-x.views",
        "20230514-142233.jpg",
        "000012-.views",
        "",
    ] {
        assert!(!is_ours(name), "{name}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
