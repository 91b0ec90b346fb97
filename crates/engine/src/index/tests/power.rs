//! Power failures: data that was not synced is lost or torn, and commits are kept.

use std::path::Path;

use fastlane_durable::twin::{Forgetful, Loss};

use super::{REDUCTION, THOROUGH, found, open_on, views};
use crate::{Nominate, Reader, Store, Writer};

/// Three commits, with lists from the second on; returns the number of the last one that succeeded.
fn commits(writer: &mut Writer) -> u64 {
    let mut commit = |from: u64| {
        for one in from..from + 15 {
            writer.add(&format!("d{one}"), &views(one, 2), None).ok()?;
        }
        writer.delete("d3").ok()?;
        writer.commit().ok()
    };
    [0, 15, 30].into_iter().map_while(&mut commit).last().unwrap_or(0)
}

#[test]
fn a_commit_that_returned_holds_without_power() {
    for (loss, store) in
        [(Loss::Names, Store::F16), (Loss::NewNames, Store::Bits8), (Loss::Bytes, Store::Bits4)]
    {
        let mut calls = 0;
        let mut powerless = true;
        while powerless {
            let directory = tempfile::tempdir().unwrap();
            let disk = Forgetful::new(directory.path(), calls);
            let last = match open_on(Box::new(disk.clone()), directory.path(), (store, REDUCTION)) {
                Ok(mut writer) => commits(&mut writer),
                Err(_) => 0,
            };
            powerless = disk.lose(loss);
            assert_whole(directory.path(), last, &format!("{loss:?} after {calls} calls"));
            calls += 1;
        }
        assert!(calls > 80, "only {calls} calls");
    }
}

/// Checks that the last commit that returned, or the one after it, is complete.
fn assert_whole(path: &Path, last: u64, what: &str) {
    if last == 0 && !path.join("CURRENT").exists() {
        return;
    }
    assert_eq!(Reader::check(path, |_| true).unwrap().problems, [], "{what}");
    let reader = Reader::open(path).unwrap();
    let generation = reader.generation();
    assert!((last..=last + 1).contains(&generation), "{what}: {last}, {generation}");
    assert_eq!(reader.statistics().documents, 15 * generation - 1, "{what}");
    let query = views(7, 1);
    let wanted = found(&reader, query.row(0), 9, Nominate::Scan);
    assert_eq!(found(&reader, query.row(0), 9, THOROUGH), wanted, "{what}");
}
