//! The batches of a run: batch n follows from the seed and n alone.
//!
//! A batch has pairs of one source, drawn by weight. In each round, a source is visited in a new
//! order, by examples or by groups of examples on similar topics. Batches near each other in that
//! order redistribute their examples by length, so that a batch has texts of similar lengths.

use super::pairs::{Example, Pairs};
use super::tokens::TokenTable;
use super::topic_groups::Topics;
use crate::backend::hash;
use crate::loss::Relation;

/// The number of batches whose examples are sorted by length together.
const NEAR: usize = 16;

/// Queries, documents, and their relations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) source: usize,
    pub(crate) queries: Vec<u32>,
    pub(crate) documents: Vec<u32>,
    /// `[queries, documents]`.
    pub(crate) relations: Vec<Relation>,
}

/// The infinite sequence of batches.
pub(crate) struct Batches<'a> {
    pub(crate) pairs: &'a Pairs,
    /// The documents, by whose lengths examples are sorted.
    pub(crate) documents: &'a TokenTable,
    pub(crate) seed: u32,
    /// Queries per batch: whole groups.
    pub(crate) size: usize,
    /// Queries on similar topics per group; 1 mixes all.
    pub(crate) alike: usize,
    /// The largest number of positives per query.
    pub(crate) positives: usize,
    /// The number of negatives per query.
    pub(crate) negatives: usize,
}

impl Batches<'_> {
    /// The batches from number `from` on, without end.
    pub(crate) fn from(&self, from: u64) -> impl Iterator<Item = Batch> + '_ {
        let mut cursors: Vec<SourceCursor<'_>> =
            self.pairs.sources.iter().map(|source| self.cursor(&source.examples)).collect();
        (0..).filter_map(move |number: u64| {
            let source = self.source(number);
            let cursor = &mut cursors[source];
            cursor.taken += 1;
            (number >= from).then(|| self.batch(source, cursor))
        })
    }

    fn cursor<'b>(&self, examples: &'b [Example]) -> SourceCursor<'b> {
        let topics = (self.alike > 1).then(|| Topics::new(examples, self.documents));
        let order = (0..examples.len() as u32).collect();
        SourceCursor { examples, topics, order: (None, order), taken: 0 }
    }

    /// The source of a batch.
    fn source(&self, number: u64) -> usize {
        let sources = &self.pairs.sources;
        let all: f32 = sources.iter().map(|source| source.weight).sum();
        let draw = hash(hash(self.seed, 1), number as u32) as f32 / 4_294_967_296.0 * all;
        let mut sum = 0.0;
        let reached = |source: &super::Source| {
            sum += source.weight;
            draw < sum
        };
        sources.iter().position(reached).unwrap_or(sources.len() - 1)
    }

    /// The next batch of a source.
    fn batch(&self, source: usize, cursor: &mut SourceCursor<'_>) -> Batch {
        let groups = self.size / self.alike;
        let all = cursor.examples.len() / self.alike;
        let a_round = (all / groups) as u64;
        let place = cursor.taken - 1;
        let (round, place) = ((place / a_round) as u32, (place % a_round) as usize);
        let seed = hash(hash(self.seed, 2 + source as u32), round);
        let near = place / NEAR * NEAR..(place / NEAR * NEAR + NEAR).min(a_round as usize);
        let span = near.start * groups..near.end * groups;
        let examples = cursor.examples;
        let order = cursor.order(round, self.alike, hash(seed, 4));
        let group = |at| order[at as usize * self.alike..][..self.alike].iter();
        let group = |at| group(at).map(|&example| &examples[example as usize]);
        let mut near_by: Vec<u32> = span.map(|at| shuffled(at as u32, all as u32, seed)).collect();
        near_by.sort_by_cached_key(|&at| group(at).map(|it| self.length(it, seed)).max());
        // so that the short ones are not always first
        let within = shuffled((place - near.start) as u32, near.len() as u32, hash(seed, 1));
        let chosen = &near_by[within as usize * groups..][..groups];
        let chosen: Vec<&Example> = chosen.iter().flat_map(|&at| group(at)).collect();
        self.gather(source, &chosen, seed)
    }

    fn length(&self, example: &Example, seed: u32) -> (usize, u32) {
        let first = from(&example.positives, hash(seed, example.query)).next();
        (first.map_or(0, |document| self.documents.of(document).len()), example.query)
    }

    /// The positives of an example that are used in a round.
    fn positives(&self, example: &Example, seed: u32) -> Vec<u32> {
        from(&example.positives, hash(seed, example.query)).take(self.positives).collect()
    }

    fn gather(&self, source: usize, examples: &[&Example], seed: u32) -> Batch {
        let mut documents: Vec<u32> = Vec::new();
        let mut add = |document: u32| {
            if !documents.contains(&document) {
                documents.push(document);
            }
        };
        let own = examples.iter().map(|example| self.positives(example, seed));
        let own: Vec<Vec<u32>> = own.collect();
        own.iter().flatten().for_each(|&document| add(document));
        for example in examples {
            let start = hash(hash(seed, 3), example.query);
            from(&example.negatives, start).take(self.negatives).for_each(&mut add);
        }
        let relation = |(example, own): (&&Example, &Vec<u32>), document: &u32| match document {
            document if own.contains(document) => Relation::Positive,
            document if example.is_answered_by(*document) => Relation::Ignored,
            _ => Relation::Negative,
        };
        let rows = examples.iter().zip(&own);
        let relations =
            rows.flat_map(|row| documents.iter().map(move |document| relation(row, document)));
        Batch {
            source,
            queries: examples.iter().map(|example| example.query).collect(),
            relations: relations.collect(),
            documents,
        }
    }
}

/// The progress through a source.
struct SourceCursor<'a> {
    examples: &'a [Example],
    topics: Option<Topics>,
    /// A round and its order, group by group.
    order: (Option<u32>, Vec<u32>),
    /// The number of batches so far.
    taken: u64,
}

impl SourceCursor<'_> {
    /// The order of a round; without topics it is always the same, and each group is one example.
    fn order(&mut self, round: u32, alike: usize, seed: u32) -> &[u32] {
        if let Some(topics) = &self.topics
            && self.order.0 != Some(round)
        {
            self.order = (Some(round), topics.order(alike, seed));
        }
        &self.order.1
    }
}

/// All documents once, starting with a random one.
fn from(all: &[u32], start: u32) -> impl Iterator<Item = u32> + '_ {
    let start = start as usize % all.len().max(1);
    all[start..].iter().chain(&all[..start]).copied()
}

/// The element at an index of a shuffled `0..count`: a Feistel network on the next power of four,
/// applied again until the result is below `count`.
fn shuffled(place: u32, count: u32, seed: u32) -> u32 {
    let half = (32 - count.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1_u32 << half) - 1;
    let mut at = place;
    loop {
        let (mut left, mut right) = (at >> half, at & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (hash(hash(seed, round), right) & mask));
        }
        at = left << half | right;
        if at < count {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;
    use proptest::prelude::*;
    use std::path::PathBuf;

    fn pairs(sizes: &[usize]) -> Pairs {
        let mut pairs = Pairs::default();
        for (number, &size) in (0..).zip(sizes) {
            let example = |at: u32| Example {
                query: number * 1000 + at,
                positives: vec![at % 5, 5],
                elsewhere: vec![7],
                negatives: vec![6, 7, 8],
            };
            let examples = (0..size as u32).map(example).collect();
            let (path, weight) = (PathBuf::new(), (number + 1) as f32);
            pairs.sources.push(Source { path, weight, examples, collection: Vec::new() });
        }
        pairs
    }

    fn table() -> TokenTable {
        let mut table = TokenTable::default();
        (0..9).for_each(|length| table.push(&vec![0; length], length));
        table
    }

    proptest! {
        #[test]
        fn shuffling_loses_nothing(count in 1..3_000_u32, seed: u32) {
            let mut all: Vec<u32> = (0..count).map(|at| shuffled(at, count, seed)).collect();
            prop_assert!(count < 20 || !all.is_sorted());
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..count));
        }

        #[test]
        fn each_round_takes_each_example_once(
            groups in 1..4_usize,
            alike in 1..4_usize,
            count in 18..200_usize,
            seed: u32,
        ) {
            let (pairs, documents) = (pairs(&[count]), table());
            let (pairs, documents, size) = (&pairs, &documents, 2 * groups * alike);
            let batches = Batches { pairs, documents, seed, size, alike, positives: 1, negatives: 2 };
            let a_round = count / alike / (size / alike);
            let mut orders = Vec::new();
            for round in 0..2 {
                let some = batches.from((round * a_round) as u64).take(a_round);
                let order: Vec<u32> = some.flat_map(|batch| batch.queries).collect();
                let mut sorted = order.clone();
                sorted.sort_unstable();
                sorted.dedup();
                prop_assert_eq!(sorted.len(), a_round * size);
                orders.push(order);
            }
            prop_assert!(count < 20 || orders[0] != orders[1]);
        }
    }

    #[test]
    fn batches_go_on_where_they_were() {
        let (pairs, documents) = (pairs(&[50, 90]), table());
        let batches = Batches {
            pairs: &pairs,
            documents: &documents,
            seed: 4,
            size: 8,
            positives: 1,
            negatives: 1,
            alike: 1,
        };
        let all: Vec<Batch> = batches.from(0).take(60).collect();
        let later: Vec<Batch> = batches.from(23).take(37).collect();
        assert_eq!(all[23..], later);
        let second = all.iter().filter(|batch| batch.source == 1).count();
        assert!((30..55).contains(&second), "{second} of 60 where 40 are due");
    }

    #[test]
    fn other_answers_are_ignored_and_no_document_comes_twice() {
        let (pairs, documents) = (pairs(&[40]), table());
        let both = [1, 2].map(|positives| Batches {
            pairs: &pairs,
            documents: &documents,
            seed: 9,
            size: 10,
            positives,
            negatives: 2,
            alike: 1,
        });
        let all = both
            .iter()
            .flat_map(|batches| batches.from(0).take(20).map(|batch| (batches.positives, batch)));
        for (positives, batch) in all {
            let mut distinct = batch.documents.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), batch.documents.len());
            for (row, query) in batch.relations.chunks(batch.documents.len()).zip(&batch.queries) {
                let of = |relation| row.iter().filter(|&&it| it == relation).count();
                assert_eq!(of(Relation::Positive), positives);
                let example = &pairs.sources[0].examples[*query as usize];
                let known =
                    |document: &&u32| example.positives.contains(document) || **document == 7;
                let others = batch.documents.iter().filter(known).count() - positives;
                assert_eq!(of(Relation::Ignored), others);
            }
        }
    }
}
