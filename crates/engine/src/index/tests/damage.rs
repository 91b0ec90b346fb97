//! Flipped bytes and truncated files: a check reports them, and a search does not panic.

use std::path::{Path, PathBuf};

use fastlane_durable::twin::Unsynced;

use super::{REDUCTION, THOROUGH, lane, open_on, views};
use crate::{
    IndexSettings, Nominate, OpenIndexError, Reader, Request, Rerank, Store, WriteIndexError,
};

/// An index with lists, deletions, views that were left out, and an attachment.
fn index(path: &Path, store: Store) {
    let storage = Box::new(Unsynced::new(path));
    let mut writer = open_on(storage, path, (store, REDUCTION)).unwrap();
    for document in 0..25 {
        writer.add(&format!("d{document}"), &views(document, 3), None).unwrap();
    }
    writer.commit().unwrap();
    writer.delete("d7").unwrap();
    writer.add("d8", &views(99, 1), None).unwrap();
    writer.attach("text", Some(b"something")).unwrap();
    writer.commit().unwrap();
}

/// The files of an index, except the lock file.
fn files(path: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| !file.ends_with("lock")).collect();
    files.sort();
    files
}

#[test]
fn every_flip_is_told_and_harms_no_search() {
    Store::ALL.into_iter().for_each(flip_every_byte);
}

fn flip_every_byte(store: Store) {
    // in memory, where the system has such a place: files are written and mapped thousands of times
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let directory = tempfile::tempdir_in(place).unwrap();
    index(directory.path(), store);
    assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
    let files = files(directory.path());
    assert!(files.len() > 15, "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("000001-1.views-positions")), "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.is_empty());
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1 << (place % 8);
            overwrite(&file, &broken);
            let told = Reader::check(directory.path(), |_| true);
            assert!(told.is_err() || !told.unwrap().problems.is_empty(), "{file:?} {place}");
            search(directory.path());
        }
        overwrite(&file, &bytes);
    }
}

#[test]
fn files_that_are_cut_off_or_absent_are_named() {
    let directory = tempfile::tempdir().unwrap();
    index(directory.path(), Store::F16);
    for file in files(directory.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for length in [0, bytes.len() / 2, bytes.len() - 1] {
            overwrite(&file, &bytes[..length]);
            let told = match Reader::check(directory.path(), |_| true) {
                Ok(checked) => checked.problems[0].path.clone(),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(told, file);
            search(directory.path());
        }
        std::fs::remove_file(&file).unwrap();
        let told = Reader::check(directory.path(), |_| true);
        assert!(told.is_err() || !told.unwrap().problems.is_empty(), "{file:?}");
        search(directory.path());
        overwrite(&file, &bytes);
    }
}

#[test]
fn a_commit_during_a_check_is_none_of_its_business() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    index(path, Store::F16);
    let mut writer = super::open(path);
    let mut committed = false;
    let checked = Reader::check(path, |_| {
        if !std::mem::replace(&mut committed, true) {
            writer.add("new", &views(3, 1), None).unwrap();
            writer.commit().unwrap();
            // halves of all ones are NaN, and no file of the current generation
            overwrite(&path.join("000003-1.views"), &[0xff; 16]);
        }
        true
    });
    let checked = checked.unwrap();
    assert_eq!((checked.generation, checked.problems), (2, vec![]));
    assert_eq!(Reader::check(path, |_| true).unwrap().problems.len(), 1);
}

#[test]
fn a_writer_adds_nothing_to_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    index(path, Store::Bits4);
    let flip = |name: &str| {
        let file = path.join(name);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        overwrite(&file, &bytes);
    };
    let open = || crate::Writer::open_existing(path, super::settings());
    flip("000001-1.order");
    assert!(matches!(open(), Err(OpenIndexError::Damaged { .. })));
    flip("000001-1.order");
    flip("000001-1.views");
    let error = open().unwrap().compact().unwrap_err();
    assert!(matches!(&error, WriteIndexError::Damaged { .. }), "{error}");
    flip("000001-1.views");
    assert_eq!(open().unwrap().compact().unwrap(), 3);
}

#[test]
fn an_index_that_lost_current_is_not_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    index(directory.path(), Store::F16);
    let count = files(directory.path()).len();
    std::fs::remove_file(directory.path().join("CURRENT")).unwrap();
    let settings = super::index_settings();
    let error = crate::Writer::open(directory.path(), &settings, super::settings()).unwrap_err();
    assert!(
        error.to_string().ends_with("it is missing, but `generation-000002` exists"),
        "{error}"
    );
    assert_eq!(files(directory.path()).len(), count - 1);
}

#[test]
fn directories_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    overwrite(&directory.path().join("thesis.txt"), b"precious");
    let settings = IndexSettings { model: String::new(), ..super::index_settings() };
    let error = crate::Writer::open(directory.path(), &settings, super::settings()).unwrap_err();
    assert!(matches!(&error, OpenIndexError::Foreign { name, .. } if name == "thesis.txt"));
    assert!(matches!(Reader::open(directory.path()), Err(OpenIndexError::Absent { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// Searches in every way; errors are fine, panics are not.
fn search(path: &Path) {
    let Ok(reader) = Reader::open(path) else { return };
    let query = views(5, 2);
    let lanes = [lane(query.row(0)), lane(query.row(1))];
    let rerank = Some(Rerank { query: &query, weights: None, documents: 10 });
    for nominate in [Nominate::Auto, THOROUGH, Nominate::Scan, Nominate::All] {
        for lanes in [&lanes[..1], &lanes] {
            let request = Request { nominate, rerank, ..Request::new(lanes, 5) };
            drop(reader.search(&request));
            drop(reader.search(&Request { rerank: None, ..request }));
        }
    }
    let _ = reader.contains("d7");
    let _ = reader.ids().count();
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
