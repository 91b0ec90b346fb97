//! The cost of scoring 100 documents by all tokens of a query, on one thread.

use fastlane_engine::{DocumentSet, Lane, Nominate, Reader, Request, Rerank, TokenMatrix};

use crate::corpus::{Corpus, DIM, LENGTH};
use crate::{median, seconds};

const ROUNDS: usize = 101;
const DOCUMENTS: usize = 100;
const TOKENS: usize = 30;

pub(crate) fn measure(reader: &Reader, corpus: &Corpus) {
    let query = corpus.queries.select(&(0..TOKENS).collect::<Vec<_>>());
    let (mut same, mut others) = (Vec::new(), Vec::new());
    let always = documents(reader, 0);
    for round in 0..ROUNDS {
        same.push(rerank(reader, &query, &always));
        others.push(rerank(reader, &query, &documents(reader, round)));
    }
    println!(
        "rerank: {DOCUMENTS} documents of {LENGTH} views by {TOKENS} tokens, dim {DIM}: \
         {:.3} ms, other documents each time {:.3} ms",
        median(same) * 1e3,
        median(others) * 1e3
    );
}

/// Documents far apart from each other, different ones for each round.
fn documents(reader: &Reader, round: usize) -> DocumentSet {
    let all = reader.statistics().documents as usize;
    let ids: Vec<String> =
        (0..DOCUMENTS).map(|one| ((one * 7919 + round * 104_729) % all).to_string()).collect();
    let set = reader.select(ids.iter().map(String::as_str));
    assert_eq!(set.len(), DOCUMENTS, "7919 is prime");
    set
}

fn rerank(reader: &Reader, query: &TokenMatrix, documents: &DocumentSet) -> f64 {
    let lanes = [Lane { token: 0, weight: 1.0, view: query.row(0) }];
    let rerank = Some(Rerank { query, weights: None, documents: DOCUMENTS });
    let filter = Some(documents);
    let request = Request { lanes: &lanes, k: 10, nominate: Nominate::All, rerank, filter };
    seconds(|| drop(reader.search(&request).unwrap()))
}
