//! Exact scores of documents, from the stored views.

use crate::TokenMatrix;
use crate::codec::RowScratch;
use crate::encoder::Lane;
use crate::index::{Reader, SearchError, StoredRows};
use fastlane_kernels::search::Kernel;

use super::stop_check::StopCheck;
use super::{Pair, Rerank, damaged_rows};

/// A document and its score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    pub(super) segment: u32,
    pub(super) document: u32,
    pub(super) score: f32,
    pub(super) pairs: Vec<Pair>,
}

/// Queries that documents are scored for, consecutive in memory.
pub(super) struct Scorer {
    values: Vec<f32>,
    /// Whether they are rotated as the rows of the index are.
    rotated: bool,
    dim: usize,
    /// The token and the weight of each query.
    queries: Vec<(usize, f32)>,
    best: Vec<(f32, u32)>,
    scratch: RowScratch,
    kernel: Kernel,
}

impl Scorer {
    pub(super) fn of_lanes(lanes: &[Lane<'_>], dim: usize) -> Self {
        let values = lanes.iter().flat_map(|lane| lane.view).copied().collect();
        let queries = lanes.iter().map(|lane| (lane.token, lane.weight)).collect();
        Self::new(values, dim, queries)
    }

    fn of_query(query: &TokenMatrix, weights: Option<&[f32]>) -> Self {
        let weight = |token| weights.map_or(1.0, |weights| weights[token]);
        let queries = (0..query.len()).map(|token| (token, weight(token))).collect();
        Self::new(query.values().to_vec(), query.dim(), queries)
    }

    fn new(values: Vec<f32>, dim: usize, queries: Vec<(usize, f32)>) -> Self {
        let best = vec![(0.0, 0); queries.len()];
        let scratch = RowScratch::default();
        Self { values, rotated: false, dim, queries, best, scratch, kernel: Kernel::best() }
    }

    /// Scores a document; `None` if it has no views.
    pub(super) fn score(
        &mut self,
        rows: &StoredRows,
        document: u32,
    ) -> Result<Option<(f32, Vec<Pair>)>, SearchError> {
        if !std::mem::replace(&mut self.rotated, true) {
            rows.rotate(&mut self.values);
        }
        let views = rows.of(document as usize);
        let views = views.and_then(|views| rows.read(views, &mut self.scratch));
        let Some(views) = views else {
            let what = format!("the views of document {document} lie outside of it");
            return Err(damaged_rows(&rows.path, what));
        };
        if views.is_empty() {
            return Ok(None);
        }
        self.best.fill((f32::NEG_INFINITY, 0));
        self.kernel.best_rows(&self.values, self.dim, views, &mut self.best);
        let pair = |(&(query, _), &(product, view)): (&(usize, f32), &(f32, u32))| Pair {
            query,
            view: view as usize,
            product,
        };
        let pairs: Vec<Pair> = self.queries.iter().zip(&self.best).map(pair).collect();
        let parts = self.queries.iter().zip(&pairs);
        let score = parts.map(|((_, weight), pair)| weight * pair.product).sum();
        Ok(Some((score, pairs)))
    }
}

/// Keeps the best documents, and scores them by late interaction.
pub(super) fn rerank(
    (reader, stop_check): (&Reader, &StopCheck<'_>),
    rerank: &Rerank<'_>,
    k: usize,
    scored: &mut Vec<Scored>,
) -> Result<(), SearchError> {
    reader.rank(scored, rerank.documents.max(k))?;
    let mut scorer = Scorer::of_query(rerank.query, rerank.weights);
    let all = std::mem::take(scored);
    for Scored { segment, document, .. } in all {
        stop_check.step()?;
        let rows = reader.segment(segment).scoring();
        if let Some((score, pairs)) = scorer.score(rows, document)? {
            scored.push(Scored { segment, document, score, pairs });
        }
    }
    Ok(())
}
