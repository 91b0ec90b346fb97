//! What MaxScore gains over scoring every match, and what indexing costs.
//!
//! `cargo bench -p fastlane-corpus --bench lexical`
//!
//! Each query is answered both ways in turn, in one run on one thread, so that the ratio does not
//! depend on what else the machine does. MedQuAD is read from `../shared/data` if it is there;
//! the synthetic corpus has a million documents of eight words out of a Zipf distribution. The
//! filter lets one document in a hundred through.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::time::{Duration, Instant};

use fastlane_corpus::{
    Document, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter, Metadata,
};

#[path = "../../../tests/shared_data.rs"]
mod shared_data;

fn main() {
    if let Some(folder) = shared_data::shared_data("medquad", "the bench on real questions") {
        let documents = lines(&folder.join("corpus.jsonl"));
        let queries: Vec<String> =
            lines(&folder.join("queries.jsonl")).map(|query| query.text).step_by(15).collect();
        measure("medquad", documents, &queries);
    }
    let mut zipf = Zipf { state: 42 };
    let queries: Vec<String> = (0..500).map(|_| zipf.text(5)).collect();
    let documents = (0..1_000_000).map(|id| Document {
        id: id.to_string(),
        text: zipf.text(8),
        metadata: numbered(id),
        ..Default::default()
    });
    measure("zipf, a million documents", documents, &queries);
}

fn measure(name: &str, documents: impl Iterator<Item = Document>, queries: &[String]) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let start = Instant::now();
    let settings = LexicalSettings::default();
    let mut writer = LexicalWriter::create(directory.path(), settings, threads)
        .expect("an empty directory takes an index");
    let count = documents.map(|document| writer.add(&document).expect("ids differ")).count();
    writer.finish().expect("the disk has room");
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("{name}: {rate:.0} documents/s indexed on {threads} threads");

    let reader = LexicalReader::open(directory.path()).expect("the index was just made");
    for (k, filter) in [(10, None), (100, None), (1000, None), (10, Some("n < 10"))] {
        let filter = filter.map(|text| text.parse().expect("the filter is well formed"));
        compare(&reader, queries, &LexicalSearch { k, filter, ..Default::default() });
    }
}

fn compare(reader: &LexicalReader, queries: &[String], search: &LexicalSearch) {
    let (mut pruned, mut exhaustive) = (Duration::ZERO, Duration::ZERO);
    for query in queries {
        let start = Instant::now();
        let hits = reader.search(query, search).expect("the index is sound");
        pruned += start.elapsed();
        let start = Instant::now();
        let expected = reader.search_exhaustively(query, search).expect("the index is sound");
        exhaustive += start.elapsed();
        assert_eq!(hits, expected, "{query}");
    }
    let rate = |spent: Duration| queries.len() as f64 / spent.as_secs_f64();
    println!(
        "  k {:4}{}: {:.0} queries/s, exhaustively {:.0}, ratio {:.2}",
        search.k,
        search.filter.as_ref().map_or(String::new(), |filter| format!(", {filter}")),
        rate(pruned),
        rate(exhaustive),
        exhaustive.as_secs_f64() / pruned.as_secs_f64(),
    );
}

fn lines(path: &Path) -> impl Iterator<Item = Document> + use<> {
    let text = fs::read_to_string(path).expect("the collection is readable");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.into_iter().enumerate().map(|(place, line)| {
        let value: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
        let field = |name: &str| value[name].as_str().unwrap_or("").to_owned();
        let (id, title, text) = (field("_id"), field("title"), field("text"));
        Document { id, title, text, metadata: numbered(place), ..Default::default() }
    })
}

fn numbered(place: usize) -> Metadata {
    [("n".to_owned(), (place % 1000).into())].into_iter().collect()
}

/// Words `w1`, `w2`, … of which `wn` comes with a probability of about 1/n, by an LCG.
struct Zipf {
    state: u64,
}

impl Zipf {
    fn text(&mut self, words: usize) -> String {
        (0..words).map(|_| format!("w{} ", self.rank())).collect()
    }

    fn rank(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let uniform = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        200_000_f64.powf(uniform) as u64
    }
}
