//! A ranking with the grades of its documents: all that a metric may use.

use crate::qrels::Judgements;
use crate::run::Ranking;

/// The grades of a ranking's documents in order, and all positive grades of the query.
///
/// Metrics see no ids and no scores, so they cannot depend on more than in trec_eval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    ranked: Vec<Option<i32>>,
    ideal: Vec<i32>,
}

impl Judged {
    /// Looks up each document of `ranking` in `judgements`.
    pub fn new(ranking: &Ranking, judgements: &Judgements) -> Self {
        let ranked = ranking.hits().iter().map(|hit| judgements.grade(&hit.document)).collect();
        Self { ranked, ideal: judgements.ideal() }
    }

    /// Grades by rank; `None` for documents without a judgement.
    pub fn ranked(&self) -> &[Option<i32>] {
        &self.ranked
    }

    /// The first `cutoff` grades by rank, or all of them.
    pub fn top(&self, cutoff: Option<usize>) -> &[Option<i32>] {
        first(&self.ranked, cutoff)
    }

    /// The positive grades of the best possible ranking, cut at `cutoff`.
    pub fn ideal(&self, cutoff: Option<usize>) -> &[i32] {
        first(&self.ideal, cutoff)
    }

    /// How many judged documents have a grade of at least `level`, found or not.
    pub fn relevant(&self, level: i32) -> usize {
        self.ideal.partition_point(|&grade| grade >= level)
    }

    /// How many of the first `cutoff` documents have a grade of at least `level`.
    pub fn found(&self, cutoff: usize, level: i32) -> usize {
        self.top(Some(cutoff)).iter().filter(|grade| is_relevant(**grade, level)).count()
    }
}

/// Whether a document counts: unjudged ones never do.
pub(crate) fn is_relevant(grade: Option<i32>, level: i32) -> bool {
    grade.is_some_and(|grade| grade >= level)
}

fn first<T>(items: &[T], cutoff: Option<usize>) -> &[T] {
    &items[..cutoff.unwrap_or(usize::MAX).min(items.len())]
}

#[cfg(test)]
impl Judged {
    /// A ranking given by its grades, for the metrics' worked examples.
    pub(crate) fn from_grades(ranked: &[Option<i32>], ideal: &[i32]) -> Self {
        Self { ranked: ranked.to_vec(), ideal: ideal.to_vec() }
    }
}
