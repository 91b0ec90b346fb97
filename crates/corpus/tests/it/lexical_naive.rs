//! The index against BM25 by its formula, in one function that shares nothing with it but words.

use std::collections::BTreeMap;
use std::num::NonZero;

use fastlane_corpus::{
    Analyzer, Bm25, Document, Hit, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter,
};
use proptest::prelude::*;
use proptest::sample::select;

const ANALYZER: Analyzer = Analyzer::English;
/// Stems, stop words, possessives and accents among them.
const WORDS: [&str; 10] =
    ["gene", "Genes", "gene's", "the", "cell", "cells", "café", "3.5", "relating", "related"];
/// Two scores closer than this, relative to the greater, may change places, unless they are equal.
const TOLERANCE: f64 = 1e-5;

/// The documents that one commit writes, each in the place of one with its id, then those it deletes.
type Change = (Vec<Document>, Vec<String>);

#[derive(Debug, Clone)]
struct Question {
    text: String,
    k: usize,
    k1: f32,
    b: f32,
    filter: Option<&'static str>,
}

impl Question {
    fn search(&self) -> LexicalSearch {
        LexicalSearch {
            k: self.k,
            bm25: Bm25::new(self.k1, self.b).unwrap(),
            filter: self.filter.map(|filter| filter.parse().unwrap()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn searches_equal_naive_bm25(
        changes in prop::collection::vec(change(), 1..5),
        questions in prop::collection::vec(question(), 1..8),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let survivors = write(&changes, directory.path());
        let reader = LexicalReader::open(directory.path()).unwrap();
        for question in &questions {
            let hits = reader.search(&question.text, &question.search()).unwrap();
            let wanted = naive_bm25(&survivors, question);
            if let Err(difference) = compare(&hits, &wanted, question.k) {
                prop_assert!(false, "{question:?}: {difference}\n{hits:?}\n{wanted:?}");
            }
        }
    }
}

/// Every document that matches, best first: `Σ idf · tf / (tf + k1 · (1 - b + b · |d| / avg))`.
///
/// The documents have at most 40 words, up to which the index keeps lengths exactly.
fn naive_bm25(survivors: &[Document], question: &Question) -> Vec<(String, f64)> {
    let words: Vec<_> = survivors.iter().map(|d| ANALYZER.words(&d.full_text())).collect();
    let n = survivors.len() as f64;
    let average = words.iter().map(Vec::len).sum::<usize>() as f64 / n;
    let (k1, b) = (f64::from(question.k1), f64::from(question.b));
    let search = question.search();
    let mut found = Vec::new();
    for (document, own) in survivors.iter().zip(&words) {
        let mut score = 0.0;
        for word in ANALYZER.words(&question.text) {
            let tf = own.iter().filter(|other| **other == word).count() as f64;
            let df = words.iter().filter(|other| other.contains(&word)).count() as f64;
            let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
            if tf > 0.0 {
                score += idf * tf / (tf + k1 * (1.0 - b + b * own.len() as f64 / average));
            }
        }
        let passes = search.filter.as_ref().is_none_or(|f| f.matches(&document.metadata));
        if passes && score > 0.0 {
            found.push((document.id.clone(), score));
        }
    }
    found.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| b.as_bytes().cmp(a.as_bytes())));
    found
}

/// Says where the hits are not the first `k` of all that is wanted.
fn compare(hits: &[Hit], wanted: &[(String, f64)], k: usize) -> Result<(), String> {
    if hits.len() != wanted.len().min(k) {
        return Err(format!("{} hits of {} at {k}", hits.len(), wanted.len()));
    }
    for (rank, (hit, (id, score))) in hits.iter().zip(wanted).enumerate() {
        if !close(f64::from(hit.score), *score) {
            return Err(format!("score at {rank}: {} for {score}", hit.score));
        }
        let mut rivals = wanted.iter().filter(|(_, other)| close(*other, *score));
        if rivals.all(|(_, other)| other == score) && hit.id != *id {
            return Err(format!("id at {rank}: {} for {id}", hit.id));
        }
        let own = wanted.iter().find(|(id, _)| *id == hit.id);
        if own.is_none_or(|(_, score)| !close(f64::from(hit.score), *score)) {
            return Err(format!("score of {}: {} for {own:?}", hit.id, hit.score));
        }
    }
    let falls = |a: &Hit, b: &Hit| (a.score, &a.id) > (b.score, &b.id);
    if hits.is_sorted_by(falls) { Ok(()) } else { Err("hits out of order".into()) }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.max(b)
}

fn write(changes: &[Change], path: &std::path::Path) -> Vec<Document> {
    let settings = LexicalSettings { analyzer: ANALYZER };
    let mut writer = LexicalWriter::create(path, settings, NonZero::<usize>::MIN).unwrap();
    let mut survivors = BTreeMap::new();
    for (written, deleted) in changes {
        for document in written {
            writer.replace(document).unwrap();
            survivors.insert(document.id.clone(), document.clone());
        }
        for id in deleted {
            writer.delete(id);
            survivors.remove(id);
        }
        writer.commit().unwrap();
    }
    survivors.into_values().collect()
}

fn change() -> impl Strategy<Value = Change> {
    (prop::collection::vec(document(), 0..25), prop::collection::vec(id(), 0..6))
}

fn document() -> impl Strategy<Value = Document> {
    (id(), text(0..4), prop_oneof![text(0..5), text(0..37)], any::<bool>()).prop_map(
        |(id, title, text, even)| Document {
            id,
            title,
            text,
            metadata: [("even".to_owned(), even.into())].into_iter().collect(),
            ..Default::default()
        },
    )
}

/// Of different lengths and bytes above 127, so that their order is one of bytes.
fn id() -> impl Strategy<Value = String> {
    select(vec!["", "1", "é", "Z"])
        .prop_flat_map(|head| (0..12_u8).prop_map(move |n| format!("{head}{n}")))
}

fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(select(&WORDS[..]), words).prop_map(|words| words.join(" "))
}

fn question() -> impl Strategy<Value = Question> {
    let filters = vec![None, Some("even = true"), Some("not even = true"), Some("exists odd")];
    (text(0..5), 1..40_usize, select(vec![0.0, 0.9, 1.2, 1000.0]), 0.0..=1.0_f32, select(filters))
        .prop_map(|(text, k, k1, b, filter)| Question { text, k, k1, b, filter })
}
