//! The effect on searches of a writer that repeatedly adds 200 documents and commits.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastlane_engine::{Lane, Reader, Request, TokenMatrix, Writer};

use crate::corpus::Corpus;
use crate::{median, share};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(3);
const DOCUMENTS: usize = 200;
/// The views of a document that is added.
const VIEWS: usize = 70;

pub(crate) fn measure(corpus: &Corpus) {
    let mut reader = Reader::open(corpus.path()).unwrap();
    let mut writer = corpus.writer(NonZero::<usize>::MIN, 0);
    let mut quiet = Figures::default();
    let mut busy = Figures::default();
    let (mut ratios, mut commits) = (Vec::new(), 0);
    search_for_a_while(&mut reader, &corpus.queries);
    for _ in 0..ROUNDS {
        quiet.add(&search_for_a_while(&mut reader, &corpus.queries));
        let done = AtomicBool::new(false);
        let times = std::thread::scope(|scope| {
            let adding = scope.spawn(|| add_and_commit(&mut writer, &corpus.queries, &done));
            let times = search_for_a_while(&mut reader, &corpus.queries);
            done.store(true, Ordering::Relaxed);
            commits += adding.join().unwrap();
            times
        });
        busy.add(&times);
        ratios.push(busy.last() / quiet.last());
    }
    let a_second = commits as f64 / (ROUNDS as f64 * ROUND.as_secs_f64());
    println!("commits: quiet {}", quiet.tell());
    println!("commits: {a_second:.1} commits/s of {DOCUMENTS} documents, {}", busy.tell());
    println!("commits: ratio of p99 {:.2}", median(ratios));
}

/// The seconds of each search, and with the preceding refresh.
fn search_for_a_while(reader: &mut Reader, queries: &TokenMatrix) -> Vec<[f64; 2]> {
    let (mut times, started) = (Vec::new(), Instant::now());
    while started.elapsed() < ROUND {
        let view = queries.row(times.len() % queries.len());
        let lanes = [Lane { token: 0, weight: 1.0, view }];
        let before = Instant::now();
        reader.refresh().unwrap();
        let began = Instant::now();
        drop(reader.search(&Request::new(&lanes, 10)).unwrap());
        times.push([began.elapsed().as_secs_f64(), before.elapsed().as_secs_f64()]);
    }
    times
}

/// Adds documents and commits until stopped; then deletes them again.
fn add_and_commit(writer: &mut Writer, queries: &TokenMatrix, done: &AtomicBool) -> usize {
    let mut commits = 0;
    let id = |commit: usize, document: usize| format!("new {commit} {document}");
    while !done.load(Ordering::Relaxed) {
        for document in 0..DOCUMENTS {
            let first = (commits * DOCUMENTS + document) % (queries.len() - VIEWS);
            let views = queries.select(&(first..first + VIEWS).collect::<Vec<_>>());
            writer.add(&id(commits, document), &views, None).unwrap();
        }
        writer.commit().unwrap();
        commits += 1;
    }
    for (commit, document) in
        (0..commits).flat_map(|commit| (0..DOCUMENTS).map(move |document| (commit, document)))
    {
        assert!(writer.delete(&id(commit, document)).unwrap());
    }
    writer.commit().unwrap();
    commits
}

/// Timings of the rounds, in seconds.
#[derive(Default)]
struct Figures {
    p50: Vec<f64>,
    p99: Vec<f64>,
    /// With the preceding refresh.
    p99_refreshed: Vec<f64>,
}

impl Figures {
    fn add(&mut self, times: &[[f64; 2]]) {
        let figure =
            |which: usize, part| share(times.iter().map(|time| time[which]).collect(), part);
        self.p50.push(figure(0, 0.5));
        self.p99.push(figure(0, 0.99));
        self.p99_refreshed.push(figure(1, 0.99));
    }

    fn last(&self) -> f64 {
        *self.p99.last().unwrap()
    }

    fn tell(&self) -> String {
        let [p50, p99, refreshed] =
            [&self.p50, &self.p99, &self.p99_refreshed].map(|times| median(times.clone()) * 1e6);
        format!("p50 {p50:.0} us, p99 {p99:.0} us, with refresh {refreshed:.0} us")
    }
}
