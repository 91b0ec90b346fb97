//! Every call that changes the directory fails once: the committed generation is never damaged.

use std::path::Path;

use fastlane_durable::twin::{Fault, Faulty, Unsynced};

use super::{REDUCTION, THOROUGH, found, open_on, views};
use crate::{Nominate, Reader, Store, WriteIndexError, Writer};

fn open(path: &Path, store: Store) -> Writer {
    open_on(Box::new(Unsynced::new(path)), path, (store, REDUCTION)).unwrap()
}

/// Adds, replaces, deletes and commits, and builds lists.
fn change(writer: &mut Writer) -> Result<(), WriteIndexError> {
    for document in 10..25 {
        writer.add(&format!("d{document}"), &views(document, 3), None)?;
    }
    writer.delete("d3")?;
    writer.commit()?;
    Ok(())
}

#[test]
fn a_call_that_fails_leaves_the_old_generation_or_the_new_one() {
    for (fault, store) in [
        (Fault::Refused, Store::F16),
        (Fault::NoSpace, Store::Bits8),
        (Fault::Pretended, Store::Bits4),
    ] {
        let mut done = false;
        let mut calls = 0;
        while !done {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            let mut writer = open(path, store);
            (0..12).for_each(|one| writer.add(&format!("d{one}"), &views(one, 2), None).unwrap());
            writer.commit().unwrap();
            drop(writer);

            let storage = Faulty::new(path, calls, fault);
            let result = open_on(Box::new(storage.clone()), path, (store, REDUCTION))
                .map(|mut writer| change(&mut writer).is_ok());
            done = !storage.failed();
            assert!(!done || result.is_ok_and(|committed| committed));
            assert_old_or_new(path, store, calls, done);
            calls += 1;
        }
        assert!(calls > 40, "only {calls} calls were tried");
    }
}

fn assert_old_or_new(path: &Path, store: Store, calls: i64, done: bool) {
    let checked = Reader::check(path, |_| true).unwrap();
    assert_eq!(checked.problems, [], "{calls}");
    let reader = Reader::open(path).unwrap();
    let documents = reader.statistics().documents;
    let query = views(10, 1);
    let best = found(&reader, query.row(0), 9, THOROUGH);
    assert_eq!(best, found(&reader, query.row(0), 9, Nominate::Scan));
    match reader.generation() {
        1 => assert!(!done && documents == 12 && reader.contains("d3"), "{calls}"),
        2 => assert!(documents == 24 && !reader.contains("d3"), "{calls}"),
        other => panic!("generation {other} after {calls} calls"),
    }
    // whatever files are left behind, the next writer works
    let mut writer = open(path, store);
    change(&mut writer).unwrap();
    assert_eq!(Reader::open(path).unwrap().statistics().documents, 24);
}
