//! The speed of building and searching an index.
//!
//! `cargo bench -p fastlane-engine --bench index -- --build VIEWS INDEX [--threads N]` makes an
//! index of a directory of views and prints the time. `… -- INDEX` serves it to
//! `tools/bench/index-peers`; `Child` in its `index_engines.py` has the protocol.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may panic")]

use std::io::{BufRead as _, Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use fastlane_engine::{
    IndexSettings, Lane, Nominate, Reader, Reduction, Request, Store, StoredDocuments, Writer,
    WriterSettings,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--build", views, index] => build(views.as_ref(), index.as_ref(), 1),
        ["--build", views, index, "--threads", threads] => {
            build(views.as_ref(), index.as_ref(), threads.parse().unwrap());
        }
        [index] => serve(index.as_ref()),
        _ => println!("arguments: INDEX, or --build VIEWS INDEX [--threads N]"),
    }
}

fn build(views: &Path, index: &Path, threads: usize) {
    let documents = StoredDocuments::open(views).unwrap();
    let dim = documents.shape().dim;
    let settings = IndexSettings {
        dim,
        token_dim: None,
        lanes_only: false,
        model: String::new(),
        store: Store::F16,
    };
    let threads = NonZero::new(threads).unwrap();
    let mut writer = Writer::open(
        index,
        &settings,
        WriterSettings { threads, reduction: Reduction::OFF, ..WriterSettings::default() },
    )
    .unwrap();
    let began = Instant::now();
    for document in documents {
        let document = document.unwrap();
        writer.add(&document.id, &document.views, None).unwrap();
    }
    let added = began.elapsed().as_secs_f64();
    writer.commit().unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let statistics = Reader::open(index).unwrap().statistics();
    println!(
        "{} views in {seconds:.2} s ({added:.2} s to add): {:.0} views/s, {:.2} hot bytes a view, {} lists",
        statistics.views,
        statistics.views as f64 / seconds,
        statistics.hot_bytes as f64 / statistics.views as f64,
        statistics.lists
    );
}

fn serve(index: &Path) {
    let began = Instant::now();
    let reader = Reader::open(index).unwrap();
    let opened = began.elapsed().as_nanos();
    let dim = reader.settings().dim;
    let numbers: std::collections::HashMap<String, usize> =
        reader.ids().enumerate().map(|(number, id)| (id.to_owned(), number)).collect();
    println!("ready {} {opened}", reader.statistics().hot_bytes);
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 {
        let words: Vec<f64> =
            line.split(' ').skip(1).map(|word| word.trim().parse().unwrap()).collect();
        let [k, probes, margin, count] = words[..] else { panic!("`{line}`") };
        let (k, probes, count) = (k as usize, probes as usize, count as usize);
        let mut bytes = vec![0; count * dim * 4];
        input.read_exact(&mut bytes).unwrap();
        let query: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        let mut out = std::io::stdout().lock();
        for query in query.chunks_exact(dim) {
            let lanes = [Lane { token: 0, weight: 1.0, view: query }];
            let nominate = match probes {
                0 => Nominate::Auto,
                _ => Nominate::Lists { probes, margin: margin as f32 },
            };
            let request = Request { nominate, ..Request::new(&lanes, k) };
            let began = Instant::now();
            let hits = reader.search(&request).unwrap();
            write!(out, "{}", began.elapsed().as_nanos()).unwrap();
            for hit in hits {
                write!(out, " {}", numbers[hit.id]).unwrap();
            }
            writeln!(out).unwrap();
        }
        out.flush().unwrap();
        line.clear();
    }
}
