//! A few sample queries with the router's shares, for inspection.

use std::collections::{BTreeMap, BTreeSet};

use burn_tensor::activation;

use crate::architecture::{Side, values};
use crate::backend::{Device, Dropout};
use crate::data::DataError;
use crate::data::inputs::input;
use crate::report::{SampleQueries, SampleQuery};
use crate::training::learner::Learner;
use crate::training::prepare::Prepared;

/// The number of queries.
const SHOWN: usize = 20;

/// Takes queries spread over the data, or those of the first dev set.
pub(crate) fn examples<D: Device>(
    prepared: &Prepared,
    learner: &Learner<'_, D>,
) -> Result<SampleQueries, DataError> {
    let (tokens, states) = match prepared.dev.first() {
        Some(set) => (&set.tokens[0], set.states.as_ref().map(|states| &states[0])),
        None => (&prepared.tokens[0], prepared.states.as_ref().map(|states| &states[0])),
    };
    let step = (tokens.len() / SHOWN).max(1);
    let chosen: Vec<u32> =
        (0..tokens.len()).step_by(step).take(SHOWN).map(|it| it as u32).collect();
    let network = learner.network();
    let queries = input::<D>(&chosen, tokens, states, learner.device())?;
    let queries = network.encode(Side::Query, queries, Dropout::NONE);
    let spelling = |id| prepared.spelling(id);
    let mut saved = SampleQueries { queries: Vec::new(), spellings: BTreeMap::new() };
    if let Some(logits) = network.logits(&queries) {
        let longest = logits.dims()[1];
        let alpha = values(&activation::softmax(logits, 1));
        for (place, &query) in chosen.iter().enumerate() {
            let shares = &alpha[place * longest..];
            let ids = tokens.of(query).iter();
            let tokens = ids.zip(shares).map(|(&id, &share)| (spelling(id), share)).collect();
            saved.queries.push(SampleQuery { tokens });
        }
    }
    let all: BTreeSet<u32> = tokens.ids().iter().chain(prepared.tokens[0].ids()).copied().collect();
    saved.spellings = all.into_iter().map(|id| (u64::from(id), spelling(id))).collect();
    Ok(saved)
}
