//! The cost of storing views in fewer bits: bytes, missed documents, time.
//!
//! The reference is exact products with halves. The codecs alternate, query by query.

use std::collections::HashSet;

use fastlane_engine::{Hit, Lane, Nominate, Reader, Request, Rerank, Store, TokenMatrix};

use crate::corpus::Corpus;
use crate::{median, seconds};

const QUERIES: usize = 300;
const ROUNDS: usize = 3;

pub(crate) fn measure() {
    let corpora = Store::ALL.map(|store| Corpus::real_or_clustered(300_000, store));
    let readers = corpora.each_ref().map(|corpus| Reader::open(corpus.path()).unwrap());
    let Corpus { queries, texts, .. } = &corpora[0];
    let truth: Vec<_> = (0..QUERIES).map(|query| exact(&readers[0], queries, query)).collect();
    let reranked: Vec<_> = texts[..QUERIES].iter().map(|text| rerank(&readers[0], text)).collect();
    let times = times(&readers, queries, texts);
    for ((store, reader), times) in Store::ALL.iter().zip(&readers).zip(times) {
        let found: Vec<_> = (0..QUERIES).map(|query| search(reader, queries, query)).collect();
        let again: Vec<_> = texts[..QUERIES].iter().map(|text| rerank(reader, text)).collect();
        let statistics = reader.statistics();
        println!(
            "stores: {store} {:.1} bytes a view, recall@10 {:.4}, @100 {:.4}, {:.4} of the best 10 \
             of a rerank of 100; time of a search {:.2} of f16's, of a rerank {:.2}",
            statistics.bytes as f64 / statistics.views as f64,
            common(&found, &truth, 10),
            common(&found, &truth, 100),
            common(&again, &reranked, 10),
            times[0],
            times[1],
        );
    }
}

/// Ids, best first.
type Found<'a> = Vec<&'a str>;

fn ids<'a>(hits: &[Hit<'a>]) -> Found<'a> {
    hits.iter().map(|hit| hit.id).collect()
}

fn exact<'a>(reader: &'a Reader, queries: &TokenMatrix, query: usize) -> Found<'a> {
    let lanes = [Lane { token: 0, weight: 1.0, view: queries.row(query) }];
    let request = Request { nominate: Nominate::Scan, ..Request::new(&lanes, 100) };
    ids(&reader.search(&request).unwrap())
}

fn search<'a>(reader: &'a Reader, queries: &TokenMatrix, query: usize) -> Found<'a> {
    let lanes = [Lane { token: 0, weight: 1.0, view: queries.row(query) }];
    ids(&reader.search(&Request::new(&lanes, 100)).unwrap())
}

fn rerank<'a>(reader: &'a Reader, text: &TokenMatrix) -> Found<'a> {
    let lanes = [Lane { token: 0, weight: 1.0, view: text.row(text.len() / 2) }];
    let rerank = Some(Rerank { query: text, weights: None, documents: 100 });
    ids(&reader.search(&Request { rerank, ..Request::new(&lanes, 10) }).unwrap())
}

/// The share of the best `k` that is found.
fn common(found: &[Found<'_>], truth: &[Found<'_>], k: usize) -> f64 {
    let best = |ids: &Found<'_>| ids.iter().take(k).map(|&id| id.to_owned()).collect();
    let shares = found.iter().zip(truth).map(|(found, truth)| {
        let (found, truth): (HashSet<String>, HashSet<String>) = (best(found), best(truth));
        found.intersection(&truth).count() as f64 / truth.len() as f64
    });
    shares.sum::<f64>() / found.len() as f64
}

/// The time of a search, and of the added rerank, as multiples of those with halves.
fn times(readers: &[Reader; 3], queries: &TokenMatrix, texts: &[TokenMatrix]) -> [[f64; 2]; 3] {
    let mut ratios = [const { [const { Vec::new() }; 2] }; 3];
    // the first round only loads the files into memory
    for round in 0..=ROUNDS {
        for (query, text) in texts.iter().enumerate().take(QUERIES) {
            let times = readers.each_ref().map(|reader| {
                let search = seconds(|| drop(search(reader, queries, query)));
                let both = seconds(|| drop(rerank(reader, text)));
                [search, both - search]
            });
            for (ratios, time) in ratios.iter_mut().zip(times).filter(|_| round > 0) {
                ratios[0].push(time[0] / times[0][0]);
                ratios[1].push(time[1] / times[0][1]);
            }
        }
    }
    ratios.map(|ratios| ratios.map(median))
}
