//! The output of a system: for each query, distinct documents in trec_eval's order.
//!
//! The order is score descending, then document id *descending* by bytes; the rank in a file is
//! ignored. Ties are common (quantised scores, fused ranks), so the tie rule changes measures in
//! the third decimal and has to be trec_eval's.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

/// A finite number that ranks documents; more is better.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Score(f64);

impl Score {
    /// Wraps `value`; `None` for NaN and the infinities, which cannot be ranked.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The value.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Score {}

#[expect(clippy::derive_ord_xor_partial_ord, reason = "finite numbers are totally ordered by <")]
impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.partial_cmp(other).expect("a score is finite")
    }
}

/// One document a system returned, with its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The document's external id.
    pub document: Box<str>,
    /// The score that determines the order.
    pub score: Score,
}

impl Hit {
    fn in_trec_order(&self, other: &Self) -> Ordering {
        other.score.cmp(&self.score).then_with(|| other.document.cmp(&self.document))
    }
}

/// A document occurs twice in one ranking.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("document `{document}` stands twice in one ranking")]
pub struct DuplicateDocument {
    /// The id that occurs twice.
    pub document: Box<str>,
}

/// The documents returned for one query, best first, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranking {
    hits: Vec<Hit>,
}

impl Ranking {
    /// Sorts `hits` into trec_eval's order.
    ///
    /// # Errors
    ///
    /// [`DuplicateDocument`] when an id occurs twice: counting it twice would inflate recall.
    pub fn new(mut hits: Vec<Hit>) -> Result<Self, DuplicateDocument> {
        hits.sort_unstable_by(Hit::in_trec_order);
        let mut seen = HashSet::with_capacity(hits.len());
        match hits.iter().find(|hit| !seen.insert(&hit.document)) {
            Some(twice) => Err(DuplicateDocument { document: twice.document.clone() }),
            None => Ok(Self { hits }),
        }
    }

    /// The hits, best first.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }
}

/// The output of a system for all queries, and its tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    tag: String,
    rankings: BTreeMap<Box<str>, Ranking>,
}

impl Run {
    /// An empty run called `tag`.
    pub fn new(tag: impl Into<String>) -> Self {
        Self { tag: tag.into(), rankings: BTreeMap::new() }
    }

    /// The name of the system: the last column of a TREC run file.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Sets the ranking of `query` and returns the previous one.
    pub fn insert(&mut self, query: impl Into<Box<str>>, ranking: Ranking) -> Option<Ranking> {
        self.rankings.insert(query.into(), ranking)
    }

    /// The ranking for `query`.
    pub fn ranking(&self, query: &str) -> Option<&Ranking> {
        self.rankings.get(query)
    }

    /// Every query with its ranking, in byte order of the query ids.
    pub fn rankings(&self) -> impl ExactSizeIterator<Item = (&str, &Ranking)> {
        self.rankings.iter().map(|(query, ranking)| (&**query, ranking))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(document: &str, score: f64) -> Hit {
        Hit { document: document.into(), score: Score::new(score).unwrap() }
    }

    #[test]
    fn ties_go_to_the_larger_document_id() {
        let hits = vec![hit("a", 1.0), hit("b", 2.0), hit("c", 1.0), hit("B", 2.0)];
        let ranking = Ranking::new(hits).unwrap();
        let order: Vec<&str> = ranking.hits().iter().map(|hit| &*hit.document).collect();
        assert_eq!(order, ["b", "B", "c", "a"]);
    }

    #[test]
    fn the_two_zeros_tie() {
        let ranking = Ranking::new(vec![hit("a", 0.0), hit("b", -0.0)]).unwrap();
        assert_eq!(&*ranking.hits()[0].document, "b");
    }

    #[test]
    fn a_document_twice_is_refused_whatever_its_scores() {
        let error = Ranking::new(vec![hit("a", 1.0), hit("b", 0.5), hit("a", 0.1)]).unwrap_err();
        assert_eq!(error.to_string(), "document `a` stands twice in one ranking");
    }

    #[test]
    fn only_finite_scores_exist() {
        assert_eq!(Score::new(f64::NAN), None);
        assert_eq!(Score::new(f64::INFINITY), None);
        assert_eq!(Score::new(-1.5).map(Score::get), Some(-1.5));
    }
}
