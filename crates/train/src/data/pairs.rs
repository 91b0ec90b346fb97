//! Texts, each once, and which document answers which query.

use std::collections::HashMap;
use std::path::PathBuf;

/// Texts by number; the same text has the same number.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Texts {
    /// The number of a text.
    pub(crate) fn add(&mut self, text: String) -> u32 {
        let next = self.texts.len() as u32;
        if let Some(&number) = self.numbers.get(&text) {
            return number;
        }
        self.numbers.insert(text.clone(), next);
        self.texts.push(text);
        next
    }

    pub(crate) fn all(&self) -> &[String] {
        &self.texts
    }
}

/// A query and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) query: u32,
    /// Documents that answer it, at least one.
    pub(crate) positives: Vec<u32>,
    /// Documents that do not.
    pub(crate) negatives: Vec<u32>,
}

/// Examples that batches are drawn from together.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) weight: f32,
    pub(crate) examples: Vec<Example>,
    /// All documents of the collection, where negatives may be mined from.
    pub(crate) collection: Vec<u32>,
}

/// Everything that is learned from.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) queries: Texts,
    pub(crate) documents: Texts,
    pub(crate) sources: Vec<Source>,
    /// The ids of texts where they have some, for scores of a teacher.
    pub(crate) query_ids: HashMap<u32, String>,
    pub(crate) document_ids: HashMap<u32, String>,
}

/// Examples in the making: one for each query, in the order in which these come.
#[derive(Debug, Default)]
pub(crate) struct Examples {
    examples: Vec<Example>,
    places: HashMap<u32, usize>,
}

impl Examples {
    /// Adds a query's positive, and its negatives.
    pub(crate) fn add(
        &mut self,
        query: u32,
        positive: u32,
        negatives: impl IntoIterator<Item = u32>,
    ) {
        let place = *self.places.entry(query).or_insert_with(|| {
            self.examples.push(Example { query, positives: Vec::new(), negatives: Vec::new() });
            self.examples.len() - 1
        });
        let example = &mut self.examples[place];
        if !example.positives.contains(&positive) {
            example.positives.push(positive);
        }
        for negative in negatives {
            if !example.negatives.contains(&negative) {
                example.negatives.push(negative);
            }
        }
    }

    /// The examples; what answers a query is not among its negatives.
    pub(crate) fn finish(mut self, limit: Option<usize>) -> Vec<Example> {
        self.examples.truncate(limit.unwrap_or(usize::MAX));
        for Example { positives, negatives, .. } in &mut self.examples {
            negatives.retain(|negative| !positives.contains(negative));
        }
        self.examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_gather_what_answers_them() {
        let mut texts = Texts::default();
        let numbers = ["a", "b", "a"].map(|text| texts.add(text.to_owned()));
        assert_eq!((numbers, texts.all().len()), ([0, 1, 0], 2));
        let mut examples = Examples::default();
        examples.add(0, 5, [7, 8]);
        examples.add(1, 5, []);
        examples.add(0, 7, [8, 9]);
        let found = examples.finish(None);
        assert_eq!(found[0], Example { query: 0, positives: vec![5, 7], negatives: vec![8, 9] });
        assert_eq!(found[1], Example { query: 1, positives: vec![5], negatives: vec![] });
    }
}
