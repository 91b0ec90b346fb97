//! The search throughput of two threads compared with one, on one reader.

use std::time::{Duration, Instant};

use fastlane_engine::{Lane, Reader, Request, TokenMatrix};

use crate::corpus::Corpus;
use crate::median;

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(700);

pub(crate) fn measure(corpus: &Corpus) {
    let reader = Reader::open(corpus.path()).unwrap();
    let mut rates = [const { Vec::new() }; 2];
    let (mut ratios, mut by_cpu) = (Vec::new(), Vec::new());
    // the first round only loads the files into memory
    for round in 0..=ROUNDS {
        let figures = [1, 2].map(|threads| search(&reader, &corpus.queries, threads));
        if round > 0 {
            let [one, two] = &figures;
            rates.iter_mut().zip(&figures).for_each(|(rates, figure)| rates.push(figure.rate));
            ratios.push(two.rate / one.rate);
            by_cpu.push(2.0 * two.by_cpu / one.by_cpu);
        }
    }
    let [one, two] = rates.map(median);
    let (ratio, by_cpu) = (median(ratios), median(by_cpu));
    println!("threads: {one:.0} queries/s on one, {two:.0} on two, ratio {ratio:.2}");
    println!(
        "threads: ratio {by_cpu:.2} by the time that threads were given, were both cores ours"
    );
}

/// Searches per second.
struct Figures {
    rate: f64,
    /// Per CPU second.
    by_cpu: f64,
}

/// Searches on several threads, each with its own queries, until the round is over.
fn search(reader: &Reader, queries: &TokenMatrix, threads: usize) -> Figures {
    let began = Instant::now();
    let done = std::thread::scope(|scope| {
        let start = |thread| scope.spawn(move || search_on(reader, queries, thread, began));
        let threads: Vec<_> = (0..threads).map(start).collect();
        let done = threads.into_iter().map(|thread| thread.join().unwrap());
        done.fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    let searches = f64::from(done.0);
    Figures { rate: searches / began.elapsed().as_secs_f64(), by_cpu: searches / done.1 }
}

/// The number of searches of a thread, and the CPU seconds that it used.
fn search_on(reader: &Reader, queries: &TokenMatrix, thread: usize, began: Instant) -> (u32, f64) {
    let (mut done, before) = (0, seconds_of_this_thread());
    while began.elapsed() < ROUND {
        let view = queries.row((thread * 500 + done as usize) % queries.len());
        let lanes = [Lane { token: 0, weight: 1.0, view }];
        drop(reader.search(&Request::new(&lanes, 10)).unwrap());
        done += 1;
    }
    (done, seconds_of_this_thread() - before)
}

/// The CPU time of this thread; NaN where the system does not report it.
fn seconds_of_this_thread() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
}
