//! The speed of the encoder, and its share of the CPU's peak.
//!
//! ```sh
//! tools/model/fetch-minilm
//! cargo bench -p fastlane-model --bench encoder              # our own figures
//! tools/bench/encoder                                      # compared with ONNX Runtime
//! ```
//!
//! The second way starts this program with `--serve DIR --threads N --precision P`. It then reads
//! `query N` or `documents N` from standard input, encodes N queries of 32 tokens one at a time,
//! or N documents of 128, and answers with one line of JSON, `{"seconds": [...]}`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may panic")]

use std::io::{BufRead as _, Write as _};
use std::num::NonZero;
use std::time::Instant;

use fastlane_engine::Encoder as _;
use fastlane_model::{Model, Precision, Settings, peak};

#[path = "../../../tests/minilm.rs"]
mod minilm;

const QUERY: usize = 32;
const DOCUMENT: usize = 128;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(directory) = value("--serve") {
        let threads = value("--threads").map_or(1, |threads| threads.parse().unwrap());
        let precision = precision(value("--precision").as_deref().unwrap_or("auto"));
        return serve(&open(&directory, threads, precision));
    }
    if let Some(directory) = minilm::minilm("the bench") {
        report(directory.to_str().unwrap());
    }
}

fn open(directory: &str, threads: usize, precision: Precision) -> Model {
    let threads = NonZero::new(threads).unwrap();
    let settings = Settings { precision, threads, ..Settings::default() };
    Model::open(directory, &settings).unwrap()
}

fn precision(name: &str) -> Precision {
    match name {
        "auto" => Precision::Auto,
        "f32" => Precision::F32,
        "bf16" => Precision::Bf16,
        "portable" => Precision::Portable,
        other => panic!("`{other}` is not a precision: auto, f32, bf16, portable"),
    }
}

fn serve(model: &Model) {
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (task, count) = line.split_once(' ').unwrap();
        let count = count.parse().unwrap();
        let seconds = match task {
            "query" => (0..count).map(|_| query(model)).collect(),
            "documents" => vec![documents(model, count)],
            other => panic!("`{other}` is not a task: query, documents"),
        };
        println!("{{\"seconds\": {seconds:?}}}");
        std::io::stdout().flush().unwrap();
    }
}

/// Token ids as the golden files have them.
fn ids(count: usize) -> Vec<u32> {
    let id = |i| match i {
        0 => 101,
        i if i + 1 == count => 102,
        i => 1000 + (i * 7919 + count * 104_729) % 28_000,
    };
    (0..count).map(|i| id(i) as u32).collect()
}

fn query(model: &Model) -> f64 {
    let ids = ids(QUERY);
    let start = Instant::now();
    std::hint::black_box(model.states(&ids));
    start.elapsed().as_secs_f64()
}

fn documents(model: &Model, count: usize) -> f64 {
    let documents = vec![ids(DOCUMENT); count];
    let start = Instant::now();
    std::hint::black_box(model.states_of_many(&documents));
    start.elapsed().as_secs_f64()
}

fn report(directory: &str) {
    let start = Instant::now();
    let model = open(directory, 1, Precision::Auto);
    let opened = start.elapsed().as_secs_f64() * 1e3;
    println!("opened in {opened:.0} ms, {:.1} MB of weights", model.weight_bytes() as f64 / 1e6);
    println!("resident: {}", resident());
    println!("instructions   threads   query p50   documents    of the peak   text to views");
    for precision in [Precision::F32, Precision::Bf16, Precision::Portable] {
        let Some(best) = peak(precision) else { continue };
        for threads in [1, 2] {
            let model = open(directory, threads, precision);
            let mut queries: Vec<f64> = (0..60).map(|_| query(&model)).collect();
            queries.sort_by(f64::total_cmp);
            let rounds = (0..5).map(|_| documents(&model, 16)).reduce(f64::min).unwrap();
            let tokens = (16 * DOCUMENT) as f64 / rounds;
            let share = tokens * model.operations(DOCUMENT) / (best * threads as f64);
            println!(
                "{:<14} {threads:>7} {:>8.2} ms {tokens:>7.0} tok/s {:>10.0} % {:>9.0} tok/s",
                model.instructions(),
                queries[queries.len() / 2] * 1e3,
                share * 100.0,
                texts(&model),
            );
        }
    }
}

/// Tokens per second from text to views, tokenizer included.
fn texts(model: &Model) -> f64 {
    let sentence =
        "The keeper of the lighthouse trims the lamp before dusk, every day of the year. ";
    let texts: Vec<String> = (1..=64).map(|count| sentence.repeat(1 + count % 9)).collect();
    let start = Instant::now();
    let views = model.encode_documents(Box::new(texts.into_iter()));
    let tokens: usize = views.map(|views| views.unwrap().tokens.len()).sum();
    tokens as f64 / start.elapsed().as_secs_f64()
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    [line("VmRSS"), line("VmHWM")].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
