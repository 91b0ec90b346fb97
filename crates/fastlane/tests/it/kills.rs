//! A writer of a collection is killed at any moment: what it committed is there, whole, and nothing
//! else.
//!
//! The parent starts this program again as a [`writer`] that changes a collection and commits in a
//! loop, and kills it. What a collection holds follows from the number of its generation alone, so
//! the parent knows what it must find.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fastlane::{Collection, CollectionError, Kind, kind};

use crate::race::Random;
use crate::{document, memory, model, problems, words};

/// How often a writer is killed.
const KILLS: usize = 300;
/// How often it is killed before another collection is begun.
const KILLS_OF_ONE: usize = 50;
const SEED: u64 = 4;

/// What a collection holds after a number of commits.
fn documents(generation: u64) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    for number in 2..=generation {
        let (put, deleted) = change(number);
        documents.extend(put);
        documents.remove(&deleted);
    }
    documents
}

/// What a commit puts and deletes.
fn change(number: u64) -> (Vec<(String, String)>, String) {
    let id = |number: u64| format!("d{}", number % 40);
    let put = |number: u64, text: &str| (id(number), format!("light {text} {number}"));
    let put = vec![put(number, "harbour"), put(number * 7, "ship"), put(number * 11, "nine")];
    (put, id(number * 5 + 1))
}

#[test]
fn a_killed_writer_leaves_the_last_commit_or_the_one_it_was_at() {
    let mut random = Random(SEED);
    let (mut commits, mut unfinished) = (0, 0);
    for life in 0..KILLS / KILLS_OF_ONE {
        // kills fall into more than waits for a disk where there is none
        let folder = if life % 2 == 0 { memory() } else { tempfile::tempdir().unwrap() };
        let place = folder.path().join("notes");
        let mut held = 0;
        for kill in 0..KILLS_OF_ONE {
            let most = [20_000, 60_000, 250_000][random.below(3)];
            let wait = Duration::from_micros(random.below(most) as u64);
            let told = format!("kill {kill} of life {life}, seed {SEED}, after {wait:?}");
            let last = run_and_kill(&place, wait).unwrap_or(held);
            held = assert_whole(&place, last, &told);
            unfinished += usize::from(held > 0 && words(&place).len() > 1);
        }
        commits += held;
        // the next commit removes what the killed ones left
        if held > 0 {
            let collection =
                Collection::options().encoder(model("lanes-split")).open(&place).unwrap();
            let mut writer = collection.writer().unwrap();
            writer.add([document("last", "light")]).unwrap();
            writer.commit().unwrap();
            assert_eq!(words(&place).len(), 1);
        }
    }
    println!("{KILLS} kills, seed {SEED}: {commits} commits, {unfinished} cut short, 0 damaged");
    assert!(commits > 10, "hardly anything was committed");
    assert!(unfinished > 0, "no kill left a draft");
}

/// Lets a writer work for a while; the last generation that it reported.
fn run_and_kill(place: &Path, wait: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "kills::writer"])
        .arg(place)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    told.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{told}"))).next_back()
}

/// Not a test: what the parent kills. It reports each commit on stderr.
#[test]
#[ignore = "the other test starts it, with a directory as its last argument"]
fn writer() {
    let place = std::env::args().next_back().unwrap();
    let place = Path::new(&place);
    if !place.is_absolute() {
        return;
    }
    let model = model("lanes-split");
    let collection = match kind(place).unwrap() {
        Kind::Absent | Kind::Empty => Collection::options().encoder(model).create(place).unwrap(),
        _ => Collection::options().encoder(model).open(place).unwrap(),
    };
    let mut generation = collection.generation();
    loop {
        // in one system call, so that a kill leaves no half of a line
        std::io::stderr().write_all(format!("{generation}\n").as_bytes()).unwrap();
        generation += 1;
        let mut writer = collection.writer().unwrap();
        let (put, deleted) = change(generation);
        let put: Vec<_> = put.iter().map(|(id, text)| document(id, text)).collect();
        writer.add(put).unwrap();
        writer.delete(&deleted).unwrap();
        let committed = match generation.is_multiple_of(5) {
            true => writer.compact().unwrap(),
            false => writer.commit().unwrap(),
        };
        assert_eq!(committed, generation);
    }
}

/// The generation that holds, with all that its number says; 0 before the first.
fn assert_whole(place: &Path, last: u64, told: &str) -> u64 {
    let collection = match Collection::options().without_encoder().open(place) {
        Err(CollectionError::Absent { .. } | CollectionError::OpenViews(_)) if last == 0 => {
            assert!(matches!(kind(place).unwrap(), Kind::Absent | Kind::Empty), "{told}");
            return 0;
        }
        opened => opened.unwrap_or_else(|error| panic!("{told}: {error}")),
    };
    let generation = collection.generation();
    assert!(generation == last || generation == last + 1, "{told}: {generation} after {last}");
    assert_eq!(problems(place), Vec::<String>::new(), "{told}");
    let found: BTreeMap<String, String> = (collection.ids().into_iter())
        .map(|id| {
            let text = collection.document(&id).unwrap().unwrap().text;
            (id, text)
        })
        .collect();
    assert_eq!(found, documents(generation), "{told}: generation {generation}");
    generation
}
