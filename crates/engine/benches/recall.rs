//! Checks whether searches reach the requested recall, and measures their cost.
//!
//! ```sh
//! cargo bench -p fastlane-engine --bench recall -- INDEX QUERIES.npy [QUERIES [K,K... [STEP [LANES]]]]
//! ```
//!
//! The queries are rows of f32, one view each, from your own texts; 300 of them are used by
//! default. With several lanes, each query is that many consecutive rows. The reference is a scan
//! of all views. With a step of 2 a filter keeps every other document, and so on. Settings
//! alternate, and speeds are medians, as multiples of the default's.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may panic")]

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use fastlane_engine::{DocumentSet, Lane, Nominate, Reader, Request, TokenMatrix};

const RECALLS: [f32; 5] = [0.98, 0.9, 0.95, 0.99, 0.995];
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let [index, queries, more @ ..] = &arguments[..] else {
        return println!("arguments: INDEX QUERIES.npy [QUERIES [K,K... [STEP [LANES]]]]");
    };
    let more = |place: usize, usual: &str| more.get(place).map_or(usual, |one| one).to_owned();
    let reader = Reader::open(index.as_ref()).unwrap();
    let (step, lanes): (usize, usize) =
        (more(2, "1").parse().unwrap(), more(3, "1").parse().unwrap());
    let queries = read(queries.as_ref(), more(0, "300").parse().unwrap(), lanes);
    let filter = reader.select(reader.ids().step_by(step));
    let statistics = reader.statistics();
    println!(
        "{} views of {} documents, {} may be found; {} queries",
        statistics.views,
        statistics.documents,
        filter.len(),
        queries.len() / lanes
    );
    let bench = Bench { reader: &reader, queries, lanes, filter: (step > 1).then_some(&filter) };
    println!("{:>6}{:>8}{:>9}{:>8}{:>9}{:>7}", "k", "wanted", "recall", "worst", "q/s", "ratio");
    let wanted: Vec<usize> =
        more(1, "1,10,100,1000").split(',').map(|k| k.parse().unwrap()).collect();
    let (truth, _) = bench.search(Nominate::Scan, wanted.iter().copied().max().unwrap());
    wanted.into_iter().for_each(|k| bench.measure(k, &truth));
}

struct Bench<'a> {
    reader: &'a Reader,
    queries: TokenMatrix,
    /// The number of rows per query.
    lanes: usize,
    filter: Option<&'a DocumentSet>,
}

impl Bench<'_> {
    fn measure(&self, k: usize, truth: &[Vec<&str>]) {
        let mut seconds = RECALLS.map(|_| Vec::new());
        let mut found = RECALLS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (place, &recall) in RECALLS.iter().enumerate() {
                let (ids, taken) = self.search(Nominate::Recall(recall), k);
                seconds[place].push(taken);
                found[place] = ids;
            }
        }
        let queries = self.queries.len() / self.lanes;
        let speed = seconds.map(|taken| queries as f64 / median(taken));
        for (place, wanted) in RECALLS.iter().enumerate() {
            let share = |(found, truth): (&Vec<&str>, &Vec<&str>)| {
                let best: HashSet<&str> = truth.iter().take(k).copied().collect();
                found.iter().filter(|id| best.contains(*id)).count() as f64 / best.len() as f64
            };
            let shares: Vec<f64> = found[place].iter().zip(truth).map(share).collect();
            let recall = shares.iter().sum::<f64>() / shares.len() as f64;
            let worst = shares.iter().copied().fold(1.0, f64::min);
            let (speed, ratio) = (speed[place], speed[place] / speed[0]);
            println!("{k:6}{wanted:8}{recall:9.4}{worst:8.2}{speed:9.0}{ratio:7.2}");
        }
    }

    /// The documents that each query finds, and the total seconds.
    fn search(&self, nominate: Nominate, k: usize) -> (Vec<Vec<&str>>, f64) {
        let began = Instant::now();
        let search = |query: usize| {
            let rows = query * self.lanes..(query + 1) * self.lanes;
            let lane = |row| Lane { token: row, weight: 1.0, view: self.queries.row(row) };
            let lanes: Vec<Lane<'_>> = rows.map(lane).collect();
            let request = Request { nominate, filter: self.filter, ..Request::new(&lanes, k) };
            self.reader.search(&request).unwrap()
        };
        let hits: Vec<_> = (0..self.queries.len() / self.lanes).map(search).collect();
        let seconds = began.elapsed().as_secs_f64();
        (hits.iter().map(|hits| hits.iter().map(|hit| hit.id).collect()).collect(), seconds)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Rows from all over a NumPy file of f32, in groups of consecutive rows.
fn read(path: &Path, count: usize, together: usize) -> TokenMatrix {
    let bytes = std::fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let head = String::from_utf8_lossy(&bytes[..start]);
    assert!(head.contains("<f4"), "`{}` holds no f32", path.display());
    let dim = head.split_once("'shape': (").unwrap().1.split([',', ')']).nth(1).unwrap();
    let values = bytes[start..].as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
    let all = TokenMatrix::new(dim.trim().parse().unwrap(), values.collect());
    let step = (all.len() / count).max(together);
    let starts = (0..=all.len() - together).step_by(step).take(count);
    all.select(&starts.flat_map(|start| start..start + together).collect::<Vec<_>>())
}
