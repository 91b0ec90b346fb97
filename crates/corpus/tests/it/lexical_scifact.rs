//! Our BM25 against the published baseline on SciFact (Anserini, flat: nDCG@10 0.6789).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::num::NonZero;
use std::path::Path;

use fastlane_corpus::{
    Analyzer, Document, Hit, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter,
};

use crate::shared_data::shared_data;

type Judged = HashMap<String, f64>;

#[test]
fn scifact_reaches_the_published_ndcg() {
    let Some(folder) = shared_data("scifact", "the BM25 baseline") else { return };
    let english = ndcg_at_10(&folder, Analyzer::English);
    assert!((english - 0.6789).abs() < 0.0005, "english: {english:.4}");
    let plain = ndcg_at_10(&folder, Analyzer::Plain);
    assert!((plain - 0.6651).abs() < 0.005, "plain: {plain:.4}");
}

fn ndcg_at_10(folder: &Path, analyzer: Analyzer) -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let two = NonZero::new(2).unwrap();
    let mut writer =
        LexicalWriter::create(directory.path(), LexicalSettings { analyzer }, two).unwrap();
    for line in lines(&folder.join("corpus.jsonl")) {
        writer.add(&document(&line)).unwrap();
    }
    writer.finish().unwrap();

    let (qrels, texts) = (qrels(folder), texts(folder));
    let queries: Vec<&str> = qrels.keys().map(|id| texts[id].as_str()).collect();
    let reader = LexicalReader::open(directory.path()).unwrap();
    let search = LexicalSearch { k: 1000, ..Default::default() };
    let found = reader.search_many(&queries, &search, two).unwrap();
    assert_eq!(found.len(), 300);
    qrels.values().zip(&found).map(|(judged, hits)| ndcg(judged, hits)).sum::<f64>() / 300.0
}

/// Linear gains, discounted by log2(rank + 1), over the ideal order.
fn ndcg(judged: &Judged, hits: &[Hit]) -> f64 {
    let gains = hits.iter().map(|hit| judged.get(&hit.id).copied().unwrap_or(0.0));
    let mut ideal: Vec<f64> = judged.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    discounted(gains) / discounted(ideal.into_iter())
}

fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    (2..).zip(gains.take(10)).map(|(rank, gain)| gain / f64::from(rank).log2()).sum()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn document(line: &str) -> Document {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let field = |name: &str| value[name].as_str().unwrap_or("").to_owned();
    Document { id: field("_id"), title: field("title"), text: field("text"), ..Default::default() }
}

fn texts(folder: &Path) -> HashMap<String, String> {
    let queries = lines(&folder.join("queries.jsonl"));
    queries.iter().map(|line| document(line)).map(|query| (query.id, query.text)).collect()
}

fn qrels(folder: &Path) -> BTreeMap<String, Judged> {
    let mut qrels = BTreeMap::<String, Judged>::new();
    for line in &lines(&folder.join("qrels/test.tsv"))[1..] {
        let [query, document, gain] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns in {line}")
        };
        let judged = qrels.entry(query.to_owned()).or_default();
        judged.insert(document.to_owned(), gain.parse().unwrap());
    }
    qrels
}
