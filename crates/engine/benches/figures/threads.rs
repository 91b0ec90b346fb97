//! How many more searches two threads make than one, with one reader.

use std::time::{Duration, Instant};

use fastlane_engine::{Lane, Reader, Request, TokenMatrix};

use crate::corpus::Corpus;
use crate::median;

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(700);

pub(crate) fn measure(corpus: &Corpus) {
    let reader = Reader::open(corpus.path()).unwrap();
    let (mut one, mut two, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // the first round only brings the files into memory
    for round in 0..=ROUNDS {
        let rates = [1, 2].map(|threads| rate(&reader, &corpus.queries, threads));
        if round > 0 {
            one.push(rates[0]);
            two.push(rates[1]);
            ratios.push(rates[1] / rates[0]);
        }
    }
    println!(
        "threads: {:.0} queries/s on one, {:.0} on two, ratio {:.2}",
        median(one),
        median(two),
        median(ratios)
    );
}

/// Searches a second by so many threads.
fn rate(reader: &Reader, queries: &TokenMatrix, threads: usize) -> f64 {
    let began = Instant::now();
    let searches: usize = std::thread::scope(|scope| {
        let start = |thread| scope.spawn(move || searches(reader, queries, thread, began));
        let threads: Vec<_> = (0..threads).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    searches as f64 / began.elapsed().as_secs_f64()
}

/// Searches until the round is over, each thread with other queries; counts them.
fn searches(reader: &Reader, queries: &TokenMatrix, thread: usize, began: Instant) -> usize {
    let mut done = 0;
    while began.elapsed() < ROUND {
        let view = queries.row((thread * 500 + done) % queries.len());
        let lanes = [Lane { token: 0, weight: 1.0, view }];
        drop(reader.search(&Request::new(&lanes, 10)).unwrap());
        done += 1;
    }
    done
}
