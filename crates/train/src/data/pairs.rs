//! Texts without duplicates, and the documents that answer each query.

use std::collections::HashMap;
use std::path::PathBuf;

/// Texts by number; equal texts have the same number.
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

    /// The number of a text, if it is known.
    pub(crate) fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    pub(crate) fn all(&self) -> &[String] {
        &self.texts
    }
}

/// Texts by their ids in the files.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// `None` where two texts have one id.
    numbers: HashMap<String, Option<u32>>,
}

impl Ids {
    pub(crate) fn add(&mut self, id: &str, number: u32) {
        match self.numbers.get_mut(id) {
            Some(known) if *known != Some(number) => *known = None,
            Some(_) => {}
            None => {
                self.numbers.insert(id.to_owned(), Some(number));
            }
        }
    }

    /// The text of an id; the inner option is `None` if there are two.
    pub(crate) fn get(&self, id: &str) -> Option<Option<u32>> {
        self.numbers.get(id).copied()
    }
}

/// A query and its judged documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) query: u32,
    /// Documents that answer it, at least one.
    pub(crate) positives: Vec<u32>,
    /// Documents that answer it according to other sources.
    pub(crate) elsewhere: Vec<u32>,
    /// Documents that do not answer it.
    pub(crate) negatives: Vec<u32>,
}

impl Example {
    /// Whether a document answers the query, according to any source.
    pub(crate) fn is_answered_by(&self, document: u32) -> bool {
        self.positives.contains(&document) || self.elsewhere.contains(&document)
    }
}

/// A set of examples from which batches are drawn.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) weight: f32,
    pub(crate) examples: Vec<Example>,
    /// All documents of the collection, if negatives may be mined from it.
    pub(crate) collection: Vec<u32>,
}

/// All training pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) queries: Texts,
    pub(crate) documents: Texts,
    pub(crate) sources: Vec<Source>,
    /// The ids of texts, for a teacher's scores.
    pub(crate) query_ids: Ids,
    pub(crate) document_ids: Ids,
}

impl Pairs {
    /// Adds to each example the answers of its query in other sources; these are not negatives.
    pub(crate) fn share_answers(&mut self) {
        let mut answers: HashMap<u32, Vec<u32>> = HashMap::new();
        for example in self.sources.iter().flat_map(|source| &source.examples) {
            answers.entry(example.query).or_default().extend(&example.positives);
        }
        for example in self.sources.iter_mut().flat_map(|source| &mut source.examples) {
            for &document in &answers[&example.query] {
                if !example.is_answered_by(document) {
                    example.elsewhere.push(document);
                }
            }
            let Example { elsewhere, negatives, .. } = example;
            negatives.retain(|negative| !elsewhere.contains(negative));
        }
    }
}

/// Collects examples: one per query, in order of appearance.
#[derive(Debug)]
pub(crate) struct Examples {
    examples: Vec<Example>,
    places: HashMap<u32, usize>,
    limit: usize,
}

impl Examples {
    /// Takes at most `limit` queries, or all.
    pub(crate) fn new(limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        Self { examples: Vec::new(), places: HashMap::new(), limit }
    }

    /// Whether a query can be added: there is room, or it was added before.
    pub(crate) fn takes(&self, query: Option<u32>) -> bool {
        self.examples.len() < self.limit
            || query.is_some_and(|query| self.places.contains_key(&query))
    }

    /// Adds a query's positive, and its negatives.
    pub(crate) fn add(
        &mut self,
        query: u32,
        positive: u32,
        negatives: impl IntoIterator<Item = u32>,
    ) {
        let place = *self.places.entry(query).or_insert_with(|| {
            let (positives, elsewhere, negatives) = Default::default();
            self.examples.push(Example { query, positives, elsewhere, negatives });
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

    /// The examples; a document that answers a query is not among its negatives.
    pub(crate) fn finish(mut self) -> Vec<Example> {
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
        let mut examples = Examples::new(Some(2));
        examples.add(0, 5, [7, 8]);
        examples.add(1, 5, []);
        examples.add(0, 7, [8, 9]);
        assert!(examples.takes(Some(1)) && !examples.takes(Some(2)) && !examples.takes(None));
        assert_eq!(examples.finish(), [example(0, &[5, 7], &[8, 9]), example(1, &[5], &[])]);
    }

    fn example(query: u32, positives: &[u32], negatives: &[u32]) -> Example {
        let [positives, negatives] = [positives, negatives].map(<[u32]>::to_vec);
        Example { query, positives, elsewhere: Vec::new(), negatives }
    }

    #[test]
    fn what_answers_a_query_in_another_source_is_no_negative() {
        let source = |examples| Source {
            path: PathBuf::new(),
            weight: 1.0,
            examples,
            collection: Vec::new(),
        };
        let mut pairs = Pairs::default();
        pairs.sources.push(source(vec![example(0, &[5], &[6, 7]), example(1, &[6], &[])]));
        pairs.sources.push(source(vec![example(0, &[6, 5], &[])]));
        pairs.share_answers();
        let [first, second] = pairs.sources.as_slice() else { panic!("there are two") };
        let both = Example { elsewhere: vec![6], ..example(0, &[5], &[7]) };
        assert_eq!(first.examples, [both, example(1, &[6], &[])]);
        assert_eq!(second.examples, [example(0, &[6, 5], &[])]);
    }

    #[test]
    fn ids_of_several_texts_are_told() {
        let mut ids = Ids::default();
        // two ids of one text, and two texts of one id
        for (id, number) in [("a", 1), ("b", 1), ("c", 2), ("a", 1), ("c", 3)] {
            ids.add(id, number);
        }
        let found = ["a", "b", "c", "d"].map(|id| ids.get(id));
        assert_eq!(found, [Some(Some(1)), Some(Some(1)), Some(None), None]);
    }
}
