//! Groups examples by topic, so that the documents of a batch are hard to tell apart.
//!
//! A random example is grouped with those that share most rare words with it, then a random one of
//! the rest, until none is left. Each round has other random examples, and so other groups.

use std::collections::HashMap;

use super::pairs::Example;
use super::tokens::TokenTable;
use crate::backend::hash;

/// This many examples are compared with each other; larger sets are split first.
const FEW: usize = 2048;

/// The words of the documents that answer some examples.
pub(crate) struct Topics {
    /// The tokens of each example with their weights, sorted by token; of unit length.
    words: Vec<Vec<(u32, f32)>>,
}

impl Topics {
    /// Uses the first positive of each example.
    pub(crate) fn new(examples: &[Example], documents: &TokenTable) -> Self {
        let counted = |example: &Example| {
            let first = example.positives.first();
            let mut ids = first.map_or(Vec::new(), |&document| documents.of(document).to_vec());
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let ids: Vec<Vec<u32>> = examples.iter().map(counted).collect();
        let mut texts: HashMap<u32, f32> = HashMap::new();
        ids.iter().flatten().for_each(|&id| *texts.entry(id).or_default() += 1.0);
        let all = examples.len() as f32;
        let weighed = |ids: Vec<u32>| {
            let weights = ids.iter().map(|id| (1.0 + all / texts[id]).ln());
            let length = weights.clone().map(|it| it * it).sum::<f32>().sqrt();
            ids.iter().copied().zip(weights.map(|it| it / length)).collect()
        };
        Self { words: ids.into_iter().map(weighed).collect() }
    }

    /// All examples in groups of `size` with similar topics; the last group may be smaller.
    pub(crate) fn order(&self, size: usize, seed: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.words.len() as u32).collect();
        self.part(&mut order, size, seed);
        order
    }

    /// Splits examples by which of two random ones they are more similar to, until few are left.
    fn part(&self, some: &mut [u32], size: usize, seed: u32) {
        if some.len() <= FEW.max(2 * size) {
            return self.group(some, size, seed);
        }
        let random = |salt| &self.words[some[hash(seed, salt) as usize % some.len()] as usize];
        let [left, right] = [random(1), random(2)];
        self.sort(some, |words| shared(words, right) - shared(words, left));
        // whole groups on the left side
        let middle = some.len() / 2 / size * size;
        let (left, right) = some.split_at_mut(middle);
        self.part(left, size, hash(seed, 3));
        self.part(right, size, hash(seed, 4));
    }

    /// Groups the examples most similar to a random one, then repeats with the rest.
    fn group(&self, some: &mut [u32], size: usize, seed: u32) {
        let mut rest = some;
        while rest.len() > size {
            let first =
                &self.words[rest[hash(seed, rest.len() as u32) as usize % rest.len()] as usize];
            self.sort(rest, |words| -shared(words, first));
            rest = &mut rest[size..];
        }
    }

    fn sort(&self, some: &mut [u32], key: impl Fn(&[(u32, f32)]) -> f32) {
        let keyed = some.iter().map(|&at| (key(&self.words[at as usize]), at));
        let mut keyed: Vec<(f32, u32)> = keyed.collect();
        keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        some.iter_mut().zip(keyed).for_each(|(at, (_, it))| *at = it);
    }
}

/// The cosine of two texts.
fn shared(a: &[(u32, f32)], b: &[(u32, f32)]) -> f32 {
    let (mut sum, mut b) = (0.0, b.iter().peekable());
    for (id, weight) in a {
        while b.next_if(|(other, _)| other < id).is_some() {}
        if let Some((_, other)) = b.next_if(|(other, _)| other == id) {
            sum += weight * other;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Examples that alternate between topics: each has its own words, and shares the first.
    fn topics(count: u32, examples: u32) -> Topics {
        let mut documents = TokenTable::default();
        let example = |number: u32| Example {
            query: number,
            positives: vec![number],
            elsewhere: Vec::new(),
            negatives: Vec::new(),
        };
        for number in 0..examples {
            let own = 10 * (number % count + 1);
            documents.push(&[1, own, own + 1, own + 2 + number % 3], 4);
        }
        Topics::new(&(0..examples).map(example).collect::<Vec<_>>(), &documents)
    }

    #[test]
    fn texts_of_a_topic_come_together() {
        let order = topics(8, 64).order(8, 5);
        let together = order.chunks(8).filter(|part| part.iter().all(|it| it % 8 == part[0] % 8));
        assert_eq!(together.count(), 8, "{order:?}");
        assert_ne!(order, topics(8, 64).order(8, 6));
    }

    #[test]
    fn shared_words_by_hand() {
        let a = [(1, 0.6), (4, 0.8)];
        assert_eq!(shared(&a, &[(4, 1.0)]), 0.8);
        assert_eq!(shared(&a, &[(2, 1.0)]), 0.0);
        assert!((shared(&a, &a) - 1.0).abs() < 1e-6);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn nobody_is_lost(count in 1..12_u32, examples in 1..5_000_u32, size in 1..9_usize, seed: u32) {
            let mut order = topics(count, examples).order(size, seed);
            order.sort_unstable();
            prop_assert!(order.into_iter().eq(0..examples));
        }
    }
}
