//! A gigabyte of MS MARCO's layout is read within 64 MiB of memory.
//!
//! One test in its own process, since the high-water mark is that of the whole process.

use std::io::Write as _;

use fastlane_corpus::{Documents, ReadSettings};

const GIGABYTE: u64 = 1 << 30;
const BOUND_KIB: u64 = 64 << 10;

#[test]
fn a_gigabyte_of_passages_is_read_within_64_mib() {
    let Some(before) = peak_kib() else {
        let line = "skipped: a_gigabyte_of_passages_is_read_within_64_mib needs /proc/self/status";
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    };
    let mut file = tempfile::Builder::new().suffix(".tsv").tempfile().unwrap();
    let text = "A passage of some sixty words, as MS MARCO has them. ".repeat(6);
    let block = format!("0123456\t{text}\n").repeat(2500);
    let blocks = GIGABYTE / block.len() as u64 + 1;
    for _ in 0..blocks {
        file.write_all(block.as_bytes()).unwrap();
    }
    let documents = Documents::open(file.path(), &ReadSettings::default()).unwrap();
    let count = documents.map(Result::unwrap).filter(|document| document.id == "0123456").count();
    assert_eq!(count as u64, blocks * 2500);
    let grown = peak_kib().unwrap() - before;
    assert!(grown < BOUND_KIB, "{grown} KiB");
}

/// The most memory this process has had in use so far; `None` where Linux does not say it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
