//! The cost of single searches, and the effects of concurrency.
//!
//! ```sh
//! cargo bench -p fastlane-engine --bench figures                      # all figures
//! cargo bench -p fastlane-engine --bench figures -- scan rerank       # some: also threads commits open stores
//! ```
//!
//! `scan` and `rerank` run on 200,000 generated views; the others on the million that
//! `tools/bench/make-views` writes to `target/views/million`, or on 300,000 generated ones.
//! Alternatives run alternately, and each figure is the median; the load average shows what else
//! ran.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may panic")]

mod commits;
mod corpus;
mod rerank;
mod scan;
mod stores;
mod threads;

use std::time::Instant;

use fastlane_engine::{Reader, Store};

use corpus::Corpus;

const QUESTIONS: [&str; 6] = ["scan", "rerank", "open", "threads", "commits", "stores"];

fn main() {
    let mut asked: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    if asked.is_empty() {
        asked = QUESTIONS.map(str::to_owned).to_vec();
    }
    if let Some(other) = asked.iter().find(|one| !QUESTIONS.contains(&one.as_str())) {
        return println!("`{other}` is not a question: {}", QUESTIONS.join(", "));
    }
    let wants = |question: &str| asked.iter().any(|one| one == question);
    tell_load();
    if wants("scan") || wants("rerank") {
        let corpus = Corpus::of_equal_documents(200_000);
        let reader = Reader::open(corpus.path()).unwrap();
        wants("scan").then(|| scan::measure(&reader, &corpus));
        wants("rerank").then(|| rerank::measure(&reader, &corpus));
    }
    if wants("open") || wants("threads") || wants("commits") {
        let corpus = Corpus::real_or_clustered(300_000, Store::F16);
        wants("open").then(|| open(&corpus));
        wants("threads").then(|| threads::measure(&corpus));
        wants("commits").then(|| commits::measure(&corpus));
    }
    wants("stores").then(stores::measure);
    tell_load();
}

/// The time until an index is open, with its files in memory.
fn open(corpus: &Corpus) {
    let times = (0..21).map(|_| seconds(|| drop(Reader::open(corpus.path()).unwrap())));
    println!("open: {:.2} ms", median(times.collect()) * 1e3);
}

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

fn median(values: Vec<f64>) -> f64 {
    share(values, 0.5)
}

/// The quantile of some values.
fn share(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share) as usize).min(values.len() - 1)]
}

fn tell_load() {
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        println!("load of the last minutes: {}", load.trim());
    }
}
