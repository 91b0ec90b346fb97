//! How much memory a run will take, said before it begins.
//!
//! What counts: four tables for each parameter (value, gradient and the optimiser's two), the
//! tensors that the way back needs for each token of a batch, the largest tables of a step, the
//! tokens and texts of the data.

use crate::data::TokenTable;
use crate::prepare::Prepared;

/// What the program takes besides, measured.
const REST: u64 = 60 << 20;

/// The most bytes of resident memory that a run should take.
pub(crate) fn expected(prepared: &Prepared) -> u64 {
    let parameters: usize = prepared.parameters.iter().map(|it| it.values.len()).sum();
    // the first values are kept besides
    let weights = 5 * 4 * parameters as u64;
    let tokens: usize = prepared.tokens.iter().map(TokenTable::tokens).sum();
    let texts = [prepared.pairs.queries.all(), prepared.pairs.documents.all()];
    let letters: usize =
        texts.iter().flat_map(|texts| texts.iter()).map(|text| 2 * text.len() + 120).sum();
    weights + (4 * tokens + letters) as u64 + batch(prepared) + REST
}

/// What one batch takes.
fn batch(prepared: &Prepared) -> u64 {
    let run = &prepared.run;
    let encoder = &prepared.frame.encoders[1];
    let negatives = if prepared
        .pairs
        .sources
        .iter()
        .any(|it| it.examples.iter().any(|e| !e.negatives.is_empty()))
    {
        run.negatives.per_query
    } else {
        0
    };
    let queries = run.schedule.batch;
    let documents = queries * (1 + negatives);
    let longest = |table: usize, most: usize| {
        let tokens = &prepared.tokens[table];
        (tokens.tokens() as f64 / tokens.len().max(1) as f64 * 1.5).min(most as f64)
    };
    let [query, document] = [
        longest(0, run.architecture.query_tokens) * queries as f64,
        longest(1, run.architecture.document_tokens) * documents as f64,
    ];
    let layers = encoder.layers - prepared.frame.from;
    let (hidden, inner) = (encoder.hidden as f64, encoder.intermediate as f64);
    // a layer keeps its input, queries, keys and values, what attention saw, two normalised
    // states and two outputs of norms, and the inner state before and after its bend
    let a_layer = 9.0 * hidden + 2.0 * inner;
    let held = match run.schedule.checkpoint_texts {
        0 => query + document,
        texts => (query + document).min(texts as f64 * document / documents as f64),
    };
    let dim = run.architecture.dim.max(run.architecture.lane_dim) as f64;
    let heads = 6.0 * (query + document) * (hidden + dim) + 3.0 * query * documents as f64;
    ((held * (a_layer * layers as f64 + 4.0 * inner) + heads) * 4.0) as u64
}
