//! Compares exact products with all views to the memory bandwidth of one core.

use std::hint::black_box;

use fastlane_engine::{Lane, Nominate, Reader, Request};

use crate::corpus::Corpus;
use crate::{median, seconds};

const ROUNDS: usize = 31;

pub(crate) fn measure(reader: &Reader, corpus: &Corpus) {
    let views = reader.statistics().views as usize;
    let bytes = views * reader.settings().dim * size_of::<u16>();
    let plain: Vec<u64> = (0..bytes as u64 / 8).collect();
    let (mut scans, mut sums, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let view = corpus.queries.row(round);
        let lanes = [Lane { token: 0, weight: 1.0, view }];
        let request = Request { nominate: Nominate::Scan, ..Request::new(&lanes, 10) };
        let sum = seconds(|| {
            black_box(sum(&plain));
        });
        let scan = seconds(|| drop(reader.search(&request).unwrap()));
        scans.push(scan);
        sums.push(sum);
        ratios.push(sum / scan);
    }
    let rate = |times| bytes as f64 / median(times) / 1e9;
    println!(
        "scan: {views} views of f16 at {:.2} GB/s, a plain sum of {} MB at {:.2} GB/s, ratio {:.2}",
        rate(scans),
        bytes / 1_000_000,
        rate(sums),
        median(ratios)
    );
}

/// Sums words with independent accumulators.
fn sum(words: &[u64]) -> u64 {
    let mut sums = [0_u64; 16];
    for words in words.as_chunks::<16>().0 {
        sums.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
    }
    sums.iter().fold(0, |sum, part| sum.wrapping_add(*part))
}
