//! Lists stay balanced in length, whatever is added.

use std::path::Path;

use super::{DIM, open, views};
use crate::index::partition::{list_lengths, longest};
use crate::{Reader, TokenMatrix, Writer};

fn add(writer: &mut Writer, name: &str, documents: u64, of: impl Fn(u64) -> TokenMatrix) {
    (0..documents).for_each(|one| writer.add(&format!("{name}{one}"), &of(one), None).unwrap());
    writer.commit().unwrap();
}

/// Ten views close to each other, and far from others.
fn crowd(seed: u64) -> TokenMatrix {
    let values = views(seed, 10).values().iter().map(|value| 4.0 + value / 16.0).collect();
    TokenMatrix::new(DIM, values)
}

/// The longest list as a multiple of the mean, and the number of views at the last training.
fn balance(path: &Path) -> (f64, u64) {
    let reader = Reader::open(path).unwrap();
    let manifest = &reader.generation.manifest;
    let lengths = list_lengths(path, &manifest.segments).unwrap();
    let mean = lengths.iter().sum::<u64>() as f64 / lengths.len() as f64;
    (longest(&lengths) as f64 / mean, manifest.partition.as_ref().unwrap().views)
}

#[test]
fn views_of_another_kind_get_lists_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    add(&mut writer, "old", 400, |one| views(one, 5));
    let (before, made_for) = balance(directory.path());
    assert!(before < 20.0 && made_for == 2_000, "{before} {made_for}");
    // a few views in one list do not trigger a training
    add(&mut writer, "few", 20, crowd);
    let (few, made_for) = balance(directory.path());
    assert!(few > 20.0 && made_for == 2_000, "{few} {made_for}");
    add(&mut writer, "many", 80, |one| crowd(one + 100));
    let (after, made_for) = balance(directory.path());
    assert!(after < 20.0 && made_for == 3_000, "{after} {made_for}");
    assert_eq!(Reader::check(directory.path(), |_| true).unwrap().problems, []);
}

#[test]
fn views_that_are_all_the_same_do_not_make_new_lists_at_every_commit() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = open(directory.path());
    let same = |_| TokenMatrix::new(DIM, views(7, 1).values().repeat(10));
    add(&mut writer, "old", 400, |one| views(one, 5));
    let mut made = Vec::new();
    for commit in 0..40 {
        add(&mut writer, &format!("same{commit}-"), 5, same);
        made.push(balance(directory.path()).1);
    }
    made.dedup();
    // at first an eighth more than 2,000; the 250 are as many as one list can hold, so training
    // repeats when they are twice as many, and again; 50 more each time, as a random view may be
    // near them
    assert_eq!(made, [2_000, 2_250, 2_550, 3_150]);
}
