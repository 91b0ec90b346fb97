//! Every call that changes the directory fails once: what is committed never suffers.

use super::twin::{Fault, Faulty};
use super::{REDUCTION, THOROUGH, found, open, open_on, views};
use crate::{Nominate, Reader, WriteIndexError, Writer};

/// Adds, replaces, deletes and commits, and makes lists on the way.
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
    for fault in [Fault::Refused, Fault::NoSpace, Fault::Pretended] {
        let mut done = false;
        let mut calls = 0;
        while !done {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            let mut writer = open(path);
            (0..12).for_each(|one| writer.add(&format!("d{one}"), &views(one, 2), None).unwrap());
            writer.commit().unwrap();
            drop(writer);

            let storage = Faulty::new(path, calls, fault);
            let result = open_on(Box::new(storage.clone()), path, REDUCTION)
                .map(|mut writer| change(&mut writer).is_ok());
            done = !storage.failed();
            assert!(!done || result.is_ok_and(|committed| committed));
            assert_old_or_new(path, calls, done);
            calls += 1;
        }
        assert!(calls > 40, "only {calls} calls were tried");
    }
}

fn assert_old_or_new(path: &std::path::Path, calls: i64, done: bool) {
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
    // whatever was left behind, the next writer goes on
    let mut writer = open(path);
    change(&mut writer).unwrap();
    assert_eq!(Reader::open(path).unwrap().statistics().documents, 24);
}
