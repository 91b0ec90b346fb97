//! Relevance judgements: for each query, the grade of each judged document.
//!
//! A grade of 0 means "judged, not relevant". A negative grade means "in the pool, not judged" (as
//! sampled pools write it) and counts like a document without a judgement.

use std::collections::BTreeMap;

/// The grades of one query's judged documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgements {
    grades: BTreeMap<Box<str>, i32>,
}

impl Judgements {
    /// The grade of `document`, or `None` if it was not judged.
    pub fn grade(&self, document: &str) -> Option<i32> {
        self.grades.get(document).copied().filter(|&grade| grade >= 0)
    }

    /// Sets the grade of `document` and returns the previous one.
    pub fn insert(&mut self, document: impl Into<Box<str>>, grade: i32) -> Option<i32> {
        self.grades.insert(document.into(), grade)
    }

    /// Every document with its grade as written, in byte order of the ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, i32)> {
        self.grades.iter().map(|(document, &grade)| (&**document, grade))
    }

    /// The positive grades, best first: the ideal ranking.
    pub fn ideal(&self) -> Vec<i32> {
        let mut grades: Vec<i32> = self.grades.values().copied().filter(|&g| g > 0).collect();
        grades.sort_unstable_by(|a, b| b.cmp(a));
        grades
    }
}

/// Relevance judgements for a set of queries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Qrels {
    queries: BTreeMap<Box<str>, Judgements>,
}

impl Qrels {
    /// Sets the grade of `document` for `query` and returns the previous one.
    pub fn insert(&mut self, query: &str, document: &str, grade: i32) -> Option<i32> {
        if let Some(judgements) = self.queries.get_mut(query) {
            return judgements.insert(document, grade);
        }
        self.queries.entry(query.into()).or_default().insert(document, grade)
    }

    /// The judgements for `query`.
    pub fn judgements(&self, query: &str) -> Option<&Judgements> {
        self.queries.get(query)
    }

    /// Every query with its judgements, in byte order of the query ids.
    pub fn queries(&self) -> impl ExactSizeIterator<Item = (&str, &Judgements)> {
        self.queries.iter().map(|(query, judgements)| (&**query, judgements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ideal_ranking_holds_positive_grades_best_first() {
        let mut judgements = Judgements::default();
        for (document, grade) in [("a", 1), ("b", 3), ("c", 0), ("d", -1), ("e", 2)] {
            judgements.insert(document, grade);
        }
        assert_eq!(judgements.ideal(), [3, 2, 1]);
        assert_eq!(judgements.grade("c"), Some(0));
        assert_eq!(judgements.grade("d"), None, "in the pool, never judged");
        assert_eq!(judgements.grade("z"), None);
    }
}
