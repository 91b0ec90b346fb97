//! A writer is killed at random moments: all commits are complete, and nothing else is visible.
//!
//! The parent starts this program again as a [`writer`] that changes an index and commits in a
//! loop, and kills it. The content of the index is a function of its generation's number, so the
//! parent can check it. It also keeps a reader of the generation before each kill, which must not
//! be affected.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod documents;

use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fastlane_engine::{
    IndexSettings, Lane, Nominate, OpenIndexError, Reader, Reduction, Request, Store, TokenMatrix,
    Writer, WriterSettings,
};

use tempfile::TempDir;

use documents::{DIM, Documents, Random};

/// The number of kills.
const KILLS: usize = 300;
/// The number of kills before a new index is started.
const KILLS_OF_ONE: usize = 50;
/// The seed of the random moments.
const SEED: u64 = 4;
const SIGKILL: i32 = 9;

#[test]
fn a_killed_writer_leaves_the_last_commit_or_the_one_it_was_at() {
    let mut random = Random(SEED);
    let mut seen = Seen::default();
    for life in 0..KILLS / KILLS_OF_ONE {
        let store = if life.is_multiple_of(3) { Store::Bits8 } else { Store::F16 };
        let directory = directory(life, store);
        kill_often(directory.path(), &mut random, &mut seen);
    }
    println!("{KILLS} kills, seed {SEED}: {seen:?}");
    assert!(seen.commits > 10, "hardly anything was committed");
    assert!(seen.unreported + seen.unfinished > 0, "no kill fell into a commit");
}

/// A directory on the disk, or every other time in memory if the system supports that: a commit
/// takes a hundredth of the time there, so that kills hit more than waits for a disk. Its name
/// tells the writer which codec to use.
fn directory(life: usize, store: Store) -> TempDir {
    let (memory, mut builder) = (Path::new("/dev/shm"), tempfile::Builder::new());
    builder.prefix(store.name());
    match life.is_multiple_of(2) && memory.is_dir() {
        true => builder.tempdir_in(memory).unwrap(),
        false => builder.tempdir().unwrap(),
    }
}

fn store_of(directory: &Path) -> Store {
    let name = directory.file_name().unwrap().to_str().unwrap();
    Store::ALL.into_iter().find(|store| name.starts_with(store.name())).unwrap()
}

/// The moments that the kills hit.
#[derive(Debug, Default)]
struct Seen {
    /// Commits that are kept.
    commits: u64,
    /// Kills before the first output of the writer.
    silent: usize,
    /// Kills between the rename that commits and its report.
    unreported: usize,
    /// Kills that left files of an incomplete commit.
    unfinished: usize,
}

fn kill_often(directory: &Path, random: &mut Random, seen: &mut Seen) {
    let index = directory.join("index");
    let mut before: Option<Reader> = None;
    for kill in 0..KILLS_OF_ONE {
        let wait = moment(random);
        let told = format!("kill {kill} of seed {SEED}, after {wait:?}");
        let reported = run_and_kill(directory, wait);
        let held = before.as_ref().map_or(0, Reader::generation);
        let last = reported.last().copied().unwrap_or(held);
        seen.silent += usize::from(reported.is_empty());

        if let Some(before) = &before {
            assert_whole(before, &told);
        }
        let after = open(&index, &told);
        let generation = after.as_ref().map_or(0, Reader::generation);
        assert!(generation == last || generation == last + 1, "{told}: {generation} after {last}");
        if let Some(after) = &after {
            assert_whole(after, &told);
            assert_eq!(Reader::check(&index, |_| true).unwrap().problems, [], "{told}");
        }
        seen.commits += generation - held;
        seen.unreported += usize::from(generation > last);
        seen.unfinished += usize::from(has_files_of(&index, generation + 1));
        before = after;
    }
    drop(before);
    assert_tidy(&index);
}

/// A very short wait, for the start of a writer; a short one, for its first commit; or a longer
/// one.
fn moment(random: &mut Random) -> Duration {
    let most = [5_000, 40_000, 250_000][random.below(3)];
    Duration::from_micros(random.below(most) as u64)
}

/// Lets a writer work for a while, and returns the generations that it reported.
fn run_and_kill(directory: &Path, wait: Duration) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "writer"])
        .arg(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(wait);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status.signal(), Some(SIGKILL), "the writer ended by itself: {told}");
    told.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{told}"))).collect()
}

/// Not a test: the process that the parent kills. It reports each commit on stderr.
#[test]
#[ignore = "the other test starts it, with a directory as its last argument"]
fn writer() {
    let directory = std::env::args().next_back().unwrap();
    let directory = Path::new(&directory);
    if !directory.is_dir() {
        return;
    }
    let settings = IndexSettings {
        dim: DIM,
        token_dim: None,
        lanes_only: false,
        model: String::new(),
        store: store_of(directory),
    };
    let mut writer = Writer::open(&directory.join("index"), &settings, writer_settings()).unwrap();
    // without changes, this returns the generation, and creates the first one of a new index
    let mut generation = writer.commit().unwrap();
    loop {
        writeln_at_once(generation);
        generation += 1;
        documents::change(&mut writer, generation);
        let committed = match documents::is_compaction(generation) {
            true => writer.compact().unwrap(),
            false => writer.commit().unwrap(),
        };
        assert_eq!(committed, generation);
    }
}

/// In one system call, so that a kill cannot leave half a line.
fn writeln_at_once(generation: u64) {
    std::io::stderr().write_all(format!("{generation}\n").as_bytes()).unwrap();
}

/// Settings that make lists and several segments even in a small index.
fn writer_settings() -> WriterSettings {
    WriterSettings {
        memory: 1 << 14,
        threads: NonZero::<usize>::MIN,
        lists_from: 40,
        reduction: Reduction::OFF,
        ..WriterSettings::default()
    }
}

/// Opens the index, unless it was not created yet.
fn open(index: &Path, told: &str) -> Option<Reader> {
    match Reader::open(index) {
        Err(OpenIndexError::Absent { .. }) => None,
        opened => Some(opened.unwrap_or_else(|error| panic!("{told}: {error}"))),
    }
}

/// Compares the content of an index with that of its generation's number.
fn assert_whole(reader: &Reader, told: &str) {
    let generation = reader.generation();
    let told = format!("{told}: generation {generation}");
    let documents = documents::documents(generation);
    let mut ids: Vec<&str> = reader.ids().collect();
    ids.sort_unstable();
    assert!(ids.iter().eq(documents.keys()), "{told}: {ids:?}, wanted {:?}", documents.keys());
    assert_eq!(reader.statistics().documents, documents.len() as u64, "{told}");
    assert_views(reader, &documents, &told);
    assert_found(reader, &documents, &told);
    let attached = reader.attachment(documents::ATTACHED);
    let attached = attached.map(std::fs::read_to_string);
    assert_eq!(attached.transpose().expect(&told), documents::attachment(generation), "{told}");
}

/// Compares scores and pairs; with this many queries nearly every view is the best of one.
fn assert_views(reader: &Reader, documents: &Documents, told: &str) {
    let query = documents::views(SEED, 64);
    let hits = reader.search(&Request::sum_max(&query, usize::MAX)).unwrap();
    let with_views = documents.values().filter(|views| !views.is_empty()).count();
    assert_eq!(hits.len(), with_views, "{told}");
    for hit in hits {
        let views = &documents[hit.id];
        for (query, pair) in query.rows().zip(&hit.pairs) {
            for wanted in [best(views, query), product(views.row(pair.view), query)] {
                assert!(is_near(reader, pair.product, wanted), "{told}: {}", hit.id);
            }
        }
    }
}

/// A search of all lists finds what a naive search finds.
fn assert_found(reader: &Reader, documents: &Documents, told: &str) {
    let query = documents::views(SEED + reader.generation(), 1);
    let lanes = [Lane { token: 0, weight: 1.0, view: query.row(0) }];
    let nominate = Nominate::Lists { probes: usize::MAX, margin: f32::INFINITY };
    let hits = reader.search(&Request { nominate, ..Request::new(&lanes, usize::MAX) }).unwrap();
    assert!(hits.is_sorted_by(|one, next| one.score >= next.score), "{told}");
    let mut wanted: Vec<(f32, &str)> = (documents.iter())
        .filter(|(_, views)| !views.is_empty())
        .map(|(id, views)| (best(views, query.row(0)), id.as_str()))
        .collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(a.1)));
    let found: Vec<(f32, &str)> = hits.iter().map(|hit| (hit.score, hit.id)).collect();
    if reader.settings().store == Store::F16 {
        return assert_eq!(found, wanted, "{told}");
    }
    let near = |one: &(f32, &str), other: &(f32, &str)| is_near(reader, one.0, other.0);
    assert_eq!(found.len(), wanted.len(), "{told}");
    assert!(found.iter().zip(&wanted).all(|(one, other)| near(one, other)), "{told}");
}

/// Halves are exact for these views; 8 bits have a small error for the longest.
fn is_near(reader: &Reader, found: f32, wanted: f32) -> bool {
    match reader.settings().store {
        Store::F16 => found == wanted,
        _ => (found - wanted).abs() < 0.2,
    }
}

fn best(views: &TokenMatrix, query: &[f32]) -> f32 {
    views.rows().map(|view| product(view, query)).reduce(f32::max).unwrap()
}

/// Exact in any order: values have 8 bits.
fn product(view: &[f32], query: &[f32]) -> f32 {
    view.iter().zip(query).map(|(a, b)| a * b).sum()
}

/// Whether there are files of a commit of this generation.
fn has_files_of(index: &Path, generation: u64) -> bool {
    let start = format!("{generation:06}-");
    let names = std::fs::read_dir(index).into_iter().flatten();
    names
        .map(|entry| entry.unwrap().file_name())
        .any(|name| name.to_str().is_some_and(|name| name.starts_with(&start)))
}

/// Checks that the next writer removes what the killed ones left.
fn assert_tidy(index: &Path) {
    drop(Writer::open_existing(index, writer_settings()).unwrap());
    let files = Reader::check(index, |_| true).unwrap().files;
    // and the lock, CURRENT, and the manifest
    assert_eq!(std::fs::read_dir(index).unwrap().count(), files + 3);
}
