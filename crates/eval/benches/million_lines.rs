//! The time of one evaluation of a large run: 1,000 queries x 1,000 documents, 1M lines.
//!
//! ```text
//! cargo bench -p fastlane-eval --bench million_lines
//! ```
//!
//! Reads the run and its qrels (100 judged documents per query) from memory and computes five
//! measures, all on one thread. The limit is one second; the rounds show the noise.

#![expect(clippy::print_stdout, reason = "it prints its report")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fastlane_eval::{Evaluation, Measure, Missing, Qrels, Run};

const QUERIES: u64 = 1_000;
const DOCUMENTS: u64 = 1_000;
const ROUNDS: usize = 7;

fn main() {
    let (run, qrels) = (run(), qrels());
    let measures: Vec<Measure> = ["nDCG@10", "RR@10", "AP", "R@100", "P@10"]
        .map(|name| name.parse().expect("a measure of ours"))
        .to_vec();
    let mut rounds: Vec<(Duration, Duration)> =
        (0..ROUNDS).map(|_| round(&run, &qrels, &measures)).collect();
    rounds.sort();
    let (read, all) = rounds[ROUNDS / 2];
    println!("1,000 x 1,000 documents, {} MB, one thread, median of {ROUNDS}", run.len() >> 20);
    println!("read the run   {:6.3} s", read.as_secs_f64());
    println!("in all         {:6.3} s   (bar: 1 s)", all.as_secs_f64());
}

/// Time to read the run, and time for everything.
fn round(run: &str, qrels: &str, measures: &[Measure]) -> (Duration, Duration) {
    let start = Instant::now();
    let run = Run::read(run.as_bytes(), "run").expect("well-formed");
    let read = start.elapsed();
    let qrels = Qrels::read(qrels.as_bytes(), "qrels").expect("well-formed");
    let evaluation =
        Evaluation::new(&run, &qrels, measures, Missing::Skip).expect("common queries");
    assert!(evaluation.mean(0) > 0.0, "the judged documents are among the returned");
    (read, start.elapsed())
}

/// Ids like MS MARCO's, scores like a dense retriever's.
fn run() -> String {
    let mut text = String::new();
    for (query, rank) in pairs(DOCUMENTS) {
        let (document, score) = (document(query, rank), 110.0 - (rank as f64).sqrt() * 1.234_567);
        writeln!(text, "{} Q0 {document} {} {score} bench", 1_000_000 + query, rank + 1)
            .expect("a string grows");
    }
    text
}

fn qrels() -> String {
    let mut text = String::new();
    for (query, place) in pairs(100) {
        let document = document(query, place * 3);
        writeln!(text, "{} 0 {document} {}", 1_000_000 + query, place % 4).expect("a string grows");
    }
    text
}

fn pairs(per_query: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..QUERIES).flat_map(move |query| (0..per_query).map(move |place| (query, place)))
}

/// Distinct inside a query, scattered over 8.8M passages.
fn document(query: u64, place: u64) -> u64 {
    (query * 7_919 + place * 104_729) % 8_841_823
}
