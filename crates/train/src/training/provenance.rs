//! The provenance of a run: hashes of its inputs, which must be the same when it is resumed.

use std::collections::BTreeMap;

use fastlane_model::Fingerprint;

use crate::data::{Example, Pairs, Teacher, TeacherViews, TokenTable, hash_of};
use crate::evaluation::eval_set::JudgedSet;

/// Hashes by the run file keys of the inputs.
pub(crate) type Provenance = BTreeMap<String, String>;

/// The key of the initial checkpoint.
pub(crate) const MODEL: &str = "model";

/// The inputs that are hashed.
pub(crate) struct Parts<'a> {
    /// The fingerprint of the initial checkpoint.
    pub(crate) model: Fingerprint,
    pub(crate) pairs: &'a Pairs,
    pub(crate) tokens: &'a [TokenTable; 2],
    pub(crate) teacher: Option<&'a Teacher>,
    pub(crate) views: &'a [Option<TeacherViews>; 2],
    pub(crate) dev: &'a [JudgedSet],
}

impl Parts<'_> {
    pub(crate) fn origins(&self) -> Provenance {
        let dev = self.dev.iter().fold(0, |hash, set| hash_of(hash, set.numbers()));
        let views = |side: usize| self.views[side].as_ref().map(TeacherViews::hash);
        let views = [("teacher_views.queries", views(0)), ("teacher_views.documents", views(1))];
        let hashes = [
            ("data", self.data()),
            ("loss.teacher.scores", self.teacher.map_or(0, Teacher::hash)),
            ("dev", dev),
        ];
        let views = views.into_iter().filter_map(|(key, hash)| Some((key, hash?)));
        let hashes = hashes.into_iter().chain(views);
        let hashes = hashes.map(|(key, hash)| (key.to_owned(), format!("{hash:016x}")));
        let model = (MODEL.to_owned(), self.model.to_string());
        hashes.chain([model]).collect()
    }

    /// A hash of the data of all batches. Each list follows its length, so that the boundaries
    /// between lists count.
    fn data(&self) -> u64 {
        let sources = self.pairs.sources.iter().flat_map(|source| {
            let examples = source.examples.iter().flat_map(of_example);
            std::iter::once(source.examples.len() as u32).chain(examples)
        });
        hash_of(0, sources.chain(self.tokens.iter().flat_map(TokenTable::numbers)))
    }
}

fn of_example(example: &Example) -> impl Iterator<Item = u32> + '_ {
    let Example { query, positives, negatives, .. } = example;
    let list = |all: &'_ Vec<u32>| std::iter::once(all.len() as u32).chain(all.clone());
    std::iter::once(*query).chain(list(positives)).chain(list(negatives))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::data::Source;

    fn data(positives: &[u32], negatives: &[u32]) -> String {
        let [positives, negatives] = [positives, negatives].map(<[u32]>::to_vec);
        let examples = vec![Example { query: 0, positives, elsewhere: Vec::new(), negatives }];
        let mut pairs = Pairs::default();
        let (path, weight, collection) = (PathBuf::new(), 1.0, Vec::new());
        pairs.sources.push(Source { path, weight, examples, collection });
        let tokens = Default::default();
        let model = "f1-00000000000000000000000000000000".parse().unwrap();
        let views = &[None, None];
        let (pairs, tokens) = (&pairs, &tokens);
        let parts = Parts { model, pairs, tokens, teacher: None, views, dev: &[] };
        parts.origins()["data"].clone()
    }

    #[test]
    fn a_negative_that_becomes_a_positive_is_another_origin() {
        assert_ne!(data(&[1, 2], &[3]), data(&[1], &[2, 3]));
        assert_eq!(data(&[1], &[2]), data(&[1], &[2]));
    }
}
