//! Evaluates a run against judgements: every measure for every query.
//!
//! Which queries count follows trec_eval. A query without judgements is left out. A judged query
//! that the run does not answer is left out too ([`Missing::Skip`]), or counts as an empty ranking
//! ([`Missing::Zero`], trec_eval's `-c`). Values are stored per query in byte order of the ids, and
//! means add them in that order, so sums agree with trec_eval's to the last bit.

use crate::judged::Judged;
use crate::metric::Measure;
use crate::qrels::Qrels;
use crate::run::{Ranking, Run};

/// How to treat judged queries that the run does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// They are left out of the mean: trec_eval's default.
    #[default]
    Skip,
    /// They count as 0: trec_eval's `-c`, which a fair comparison needs.
    Zero,
}

/// The run and the judgements have no query in common.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "no query is both judged and answered: {judged} judged (such as `{judged_example}`), \
     {answered} answered by run `{run}` (such as `{answered_example}`)"
)]
pub struct NothingToEvaluate {
    /// The run's tag.
    pub run: String,
    /// How many queries have judgements.
    pub judged: usize,
    /// The first of them.
    pub judged_example: String,
    /// How many queries the run answers.
    pub answered: usize,
    /// The first of them.
    pub answered_example: String,
}

impl NothingToEvaluate {
    /// A hint on how to fix it.
    pub fn hint(&self) -> &'static str {
        "check that run and qrels belong to the same collection and spell query ids alike"
    }
}

/// The values of some measures for each query that counts.
///
/// Measures are addressed by their index among the requested ones; an index out of range panics.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    measures: Vec<Measure>,
    queries: Vec<Box<str>>,
    values: Vec<Vec<f64>>,
    unanswered: usize,
    unjudged: usize,
}

impl Evaluation {
    /// Evaluates `run` by every one of `measures`.
    ///
    /// # Errors
    ///
    /// [`NothingToEvaluate`] when no query is both answered and judged; a mean over nothing, or
    /// over zeros only, would hide that the two files do not belong together.
    pub fn new(
        run: &Run,
        qrels: &Qrels,
        measures: &[Measure],
        missing: Missing,
    ) -> Result<Self, NothingToEvaluate> {
        let mut evaluation = Self {
            measures: measures.to_vec(),
            queries: Vec::new(),
            values: vec![Vec::new(); measures.len()],
            unanswered: 0,
            unjudged: 0,
        };
        let nothing = Ranking::default();
        let mut answered = 0;
        for (query, judgements) in qrels.queries() {
            let ranking = run.ranking(query);
            answered += usize::from(ranking.is_some());
            evaluation.unanswered += usize::from(ranking.is_none());
            if let Some(ranking) = ranking.or((missing == Missing::Zero).then_some(&nothing)) {
                evaluation.push(query, &Judged::new(ranking, judgements));
            }
        }
        evaluation.unjudged = run.rankings().len() - answered;
        if answered == 0 { Err(nothing_to_evaluate(run, qrels)) } else { Ok(evaluation) }
    }

    fn push(&mut self, query: &str, judged: &Judged) {
        self.queries.push(query.into());
        for (measure, values) in self.measures.iter().zip(&mut self.values) {
            values.push(measure.value(judged));
        }
    }

    /// The measures, in the order they were asked for.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The queries that count, in byte order.
    pub fn queries(&self) -> impl ExactSizeIterator<Item = &str> {
        self.queries.iter().map(|query| &**query)
    }

    /// The values of the measure at `measure`, one per query, in the order of [`Self::queries`].
    pub fn values(&self, measure: usize) -> &[f64] {
        &self.values[measure]
    }

    /// The value of the measure at `measure` for `query`, if that query counts.
    pub fn value(&self, query: &str, measure: usize) -> Option<f64> {
        let place = self.queries.binary_search_by(|q| (**q).cmp(query)).ok()?;
        Some(self.values[measure][place])
    }

    /// The mean of the measure at `measure` over all queries that count.
    pub fn mean(&self, measure: usize) -> f64 {
        let values = self.values(measure);
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// How many judged queries the run does not answer.
    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// How many queries of the run have no judgements; they never count.
    pub fn unjudged(&self) -> usize {
        self.unjudged
    }

    /// The values of the measure at `measure` here and in `other`, for the queries that count in
    /// both.
    ///
    /// # Panics
    ///
    /// When `other` has another measure there: the comparison would be meaningless.
    pub fn paired(&self, other: &Self, measure: usize) -> (Vec<f64>, Vec<f64>) {
        assert_eq!(self.measures[measure], other.measures[measure], "one measure for both");
        let ours = self.queries().zip(self.values(measure));
        ours.filter_map(|(query, &value)| Some((value, other.value(query, measure)?))).unzip()
    }
}

fn nothing_to_evaluate(run: &Run, qrels: &Qrels) -> NothingToEvaluate {
    NothingToEvaluate {
        run: run.tag().to_owned(),
        judged: qrels.queries().len(),
        judged_example: qrels.queries().next().map_or_else(String::new, |(q, _)| q.to_owned()),
        answered: run.rankings().len(),
        answered_example: run.rankings().next().map_or_else(String::new, |(q, _)| q.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "q1 Q0 a 1 2 t\nq1 Q0 b 2 1 t\nq3 Q0 a 1 1 t\nq9 Q0 a 1 1 t\n";
    // q1's answer is second, q2 is not answered, q3 has nothing relevant, q9 is not judged.
    const QRELS: &str = "q1 0 b 1\nq2 0 a 1\nq3 0 a 0\n";

    fn evaluate(missing: Missing) -> Evaluation {
        let run = Run::read(RUN.as_bytes(), "run").unwrap();
        let qrels = Qrels::read(QRELS.as_bytes(), "qrels").unwrap();
        Evaluation::new(&run, &qrels, &["RR".parse().unwrap()], missing).unwrap()
    }

    #[test]
    fn unanswered_queries_are_skipped_as_trec_eval_does() {
        let evaluation = evaluate(Missing::Skip);
        assert_eq!(evaluation.queries().collect::<Vec<_>>(), ["q1", "q3"]);
        assert_eq!(evaluation.mean(0), 0.25); // (1/2 + 0) / 2
        assert_eq!((evaluation.unanswered(), evaluation.unjudged()), (1, 1));
    }

    #[test]
    fn unanswered_queries_count_as_zero_when_asked() {
        let evaluation = evaluate(Missing::Zero);
        assert_eq!(evaluation.values(0), [0.5, 0.0, 0.0]);
        assert_eq!(evaluation.mean(0), 1.0 / 6.0);
    }

    #[test]
    fn pairs_hold_the_queries_both_sides_count() {
        let (ours, theirs) = evaluate(Missing::Skip).paired(&evaluate(Missing::Zero), 0);
        assert_eq!((ours, theirs), (vec![0.5, 0.0], vec![0.5, 0.0]));
    }

    #[test]
    fn files_that_do_not_belong_together_are_an_error() {
        let run = Run::read(RUN.as_bytes(), "run").unwrap();
        let qrels = Qrels::read("topic-1 0 a 1\n".as_bytes(), "qrels").unwrap();
        let error = Evaluation::new(&run, &qrels, &[], Missing::Zero).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no query is both judged and answered: 1 judged (such as `topic-1`), \
             3 answered by run `t` (such as `q1`)"
        );
    }
}
