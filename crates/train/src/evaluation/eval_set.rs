//! Evaluates the current model on dev and test sets: exact search by its lanes over whole
//! collections.

use std::collections::HashSet;
use std::iter::once;
use std::path::{Path, PathBuf};

use burn_tensor::{Tensor, activation};
use fastlane_corpus::{Documents, OnError, ReadSettings};
use fastlane_eval::{
    DuplicateDocument, Evaluation, Hit, Judgements, Measure, Missing, Qrels, Ranking,
    Run as Rankings, Score, check_id,
};
use fastlane_model::checkpoint::{InputSettings, Tokeniser};

use crate::architecture::{Network, Side, values};
use crate::backend::{Device, Dropout, Spans};
use crate::data::inputs::input;
use crate::data::{DataError, States, TokenTable, judged, missing};
use crate::error::TrainError;
use crate::events::router_stats::RouterPicks;
use crate::run::{JudgedSettings, Run, System};

/// The number of documents that are encoded at a time.
pub(crate) const PORTION: usize = 128;
/// The number of best documents by lane that are reranked by late interaction.
const RERANKED: usize = 100;

/// A collection with judgements: a dev set or a test set.
pub(crate) struct JudgedSet {
    pub(crate) path: PathBuf,
    qrels: Qrels,
    query_ids: Vec<String>,
    document_ids: Vec<String>,
    /// Queries, documents.
    pub(crate) tokens: [TokenTable; 2],
    pub(crate) states: Option<[States; 2]>,
}

impl JudgedSet {
    /// Reads and tokenises a collection.
    pub(crate) fn read(
        settings: &JudgedSettings,
        tokeniser: &Tokeniser,
        sides: &[InputSettings; 2],
    ) -> Result<Self, DataError> {
        let path = settings.path.clone();
        let found = judged(&path, &settings.split)?;
        let (mut qrels, mut query_ids, mut texts) = (Qrels::default(), Vec::new(), Vec::new());
        let limit = settings.queries.unwrap_or(usize::MAX);
        for (query, judgements) in found.qrels.queries().take(limit) {
            let text = found.queries.get(query).ok_or_else(|| {
                missing(&found.judgements, "query", query, &path.join("queries.jsonl"))
            })?;
            query_ids.push(query.to_owned());
            texts.push(text.clone());
            judgements.iter().for_each(|(document, grade)| {
                qrels.insert(query, document, grade);
            });
        }
        if texts.is_empty() {
            return Err(DataError::NoPairs { path: found.judgements });
        }
        let (document_ids, documents) = documents(settings, &qrels, &found.judgements)?;
        let tokens = [
            TokenTable::new(&texts, tokeniser, &sides[0])?,
            TokenTable::new(&documents, tokeniser, &sides[1])?,
        ];
        Ok(Self { path, qrels, query_ids, document_ids, tokens, states: None })
    }

    /// Checks that all ids can be written in a TREC run.
    pub(crate) fn can_be_written(&self) -> Result<(), DataError> {
        let queries = self.query_ids.iter().map(|id| ("query", id));
        let documents = self.document_ids.iter().map(|id| ("document", id));
        let mut all = queries.chain(documents);
        Ok(all.try_for_each(|(what, id)| check_id(what, id))?)
    }

    /// The numbers that identify the set: its tokens, its ids and its judgements.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let spelled =
            |id: &str| id.bytes().map(u32::from).chain(once(u32::MAX)).collect::<Vec<_>>();
        let ids = self.query_ids.iter().chain(&self.document_ids).flat_map(move |id| spelled(id));
        let grades = self.qrels.queries().flat_map(move |(query, judgements)| {
            let each = move |(document, grade): (&str, i32)| {
                spelled(document).into_iter().chain(once(grade.cast_unsigned()))
            };
            spelled(query).into_iter().chain(judgements.iter().flat_map(each))
        });
        self.tokens.iter().flat_map(TokenTable::numbers).chain(ids).chain(grades)
    }

    /// Searches with all queries in several modes; the first is by lanes. `seen` receives the number
    /// of processed documents, and may stop the search.
    pub(crate) fn search<D: Device>(
        &self,
        network: &Network<D>,
        modes: &SearchModes,
        device: &D::Device,
        seen: &mut dyn FnMut(usize) -> Result<(), TrainError>,
    ) -> Result<Vec<SearchRun>, TrainError> {
        let all: Vec<u32> = (0..self.query_ids.len() as u32).collect();
        let queries = input::<D>(&all, &self.tokens[0], self.states(0), device)?;
        let queries = network.encode(Side::Query, queries, Dropout::NONE);
        let mut searches = vec![Search {
            name: "lane",
            views: network.search_lanes(&queries, modes.lanes),
            best: network.takes_best(),
            by_tokens: false,
        }];
        if let Some(seed) = modes.random {
            let views = network.random_lanes(&queries, seed);
            searches.push(Search { name: "random lane", views, best: false, by_tokens: false });
        }
        if modes.even {
            let views = network.even_lanes(&queries);
            searches.push(Search { name: "even lane", views, best: false, by_tokens: false });
        }
        if modes.sum_max {
            let ones = vec![1.0; queries.spans.rows()];
            let views = (network.query_tokens(&queries), queries.spans.clone(), ones);
            searches.push(Search { name: "sum-max", views, best: false, by_tokens: true });
        }
        let scores = self.scores(network, &searches, device, seen)?;
        let reranked = modes.sum_max.then(|| self.reranked(&scores[0], &scores[scores.len() - 1]));
        let names = searches.iter().map(|search| search.name).chain(["rerank"]);
        let ranked = names.zip(scores.iter().chain(&reranked));
        ranked
            .map(|(mode, scores)| Ok(SearchRun { mode, run: self.ranked(mode, scores)? }))
            .collect()
    }

    /// The router's picks for each query; `None` without a router.
    pub(crate) fn picks<D: Device>(
        &self,
        network: &Network<D>,
        device: &D::Device,
    ) -> Result<RouterPicks, DataError> {
        let mut picks = RouterPicks::default();
        let all: Vec<u32> = (0..self.query_ids.len() as u32).collect();
        let queries = input::<D>(&all, &self.tokens[0], self.states(0), device)?;
        let queries = network.encode(Side::Query, queries, Dropout::NONE);
        if let Some(logits) = network.logits(&queries) {
            let longest = logits.dims()[1];
            let alpha = values(&activation::softmax(logits, 1));
            for (query, alpha) in all.into_iter().zip(alpha.chunks_exact(longest)) {
                let tokens = self.tokens[0].of(query);
                picks.add(&alpha[..tokens.len()], tokens);
            }
        }
        Ok(picks)
    }

    /// The number of documents.
    pub(crate) fn documents(&self) -> usize {
        self.document_ids.len()
    }

    /// The name of its directory.
    pub(crate) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or("test")
    }

    fn states(&self, side: usize) -> Option<&States> {
        self.states.as_ref().map(|states| &states[side])
    }

    /// The scores of each search, `[queries, documents]` each.
    fn scores<D: Device>(
        &self,
        network: &Network<D>,
        searches: &[Search<D>],
        device: &D::Device,
        seen: &mut dyn FnMut(usize) -> Result<(), TrainError>,
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let count = self.document_ids.len();
        let mut found = vec![vec![0.0; self.query_ids.len() * count]; searches.len()];
        let numbers: Vec<u32> = (0..count as u32).collect();
        for portion in numbers.chunks(PORTION) {
            let documents = input::<D>(portion, &self.tokens[1], self.states(1), device)?;
            let documents = network.encode(Side::Document, documents, Dropout::NONE);
            let lanes = network.document_lanes(&documents);
            for (search, found) in searches.iter().zip(&mut found) {
                let (queries, spans, weights) = &search.views;
                let (views, document_spans) = match search.by_tokens {
                    true => network.document_tokens(&documents),
                    false => (lanes.views.clone(), lanes.spans.clone()),
                };
                let best = values(&D::max_sim(queries.clone(), views, &document_spans));
                let rows = Rows { spans, weights, best: search.best };
                rows.join(&best, (found, count, portion[0] as usize));
            }
            seen(portion.len())?;
        }
        Ok(found)
    }

    /// The scores by lane, with the best reranked by late interaction.
    fn reranked(&self, lane: &[f32], token: &[f32]) -> Vec<f32> {
        let count = self.document_ids.len();
        let row = |(lane, token): (&[f32], &[f32])| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| lane[b].total_cmp(&lane[a]).then(a.cmp(&b)));
            // lowers all others: raising the best instead would round their scores
            let mut scores: Vec<f32> = lane.iter().map(|score| score - 1e6).collect();
            order.iter().take(RERANKED).for_each(|&at| scores[at] = token[at]);
            scores
        };
        lane.chunks_exact(count).zip(token.chunks_exact(count)).flat_map(row).collect()
    }

    /// The best documents of each query by their scores.
    fn ranked(&self, tag: &str, scores: &[f32]) -> Result<Rankings, DataError> {
        let mut run = Rankings::new(tag.replace(' ', "-"));
        let count = self.document_ids.len();
        for (query, scores) in self.query_ids.iter().zip(scores.chunks_exact(count)) {
            let mut order: Vec<usize> = (0..scores.len()).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
            let hit = |&at: &usize| {
                let score = Score::new(f64::from(scores[at]))?;
                Some(Hit { document: self.document_ids[at].as_str().into(), score })
            };
            let hits = order.iter().take(100).filter_map(hit).collect();
            let twice = |error: DuplicateDocument| DataError::Twice {
                what: "document",
                id: error.document.into(),
                path: self.path.clone(),
            };
            run.insert(query.as_str(), Ranking::new(hits).map_err(twice)?);
        }
        Ok(run)
    }

    /// The measures of each way of searching.
    pub(crate) fn measures(&self, found: &[SearchRun]) -> Vec<(String, f64)> {
        let measures: Vec<Measure> =
            ["nDCG@10", "R@100"].map(|name| name.parse().expect("the measure exists")).to_vec();
        let of = |found: &SearchRun| {
            let evaluation = Evaluation::new(&found.run, &self.qrels, &measures, Missing::Zero);
            let evaluation = evaluation.expect("each query was searched");
            let value = |(place, measure): (usize, &Measure)| {
                (format!("{} {measure}", found.mode), evaluation.mean(place))
            };
            measures.iter().enumerate().map(value).collect::<Vec<_>>()
        };
        found.iter().flat_map(of).collect()
    }
}

/// The ways of searching a collection, besides by lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchModes {
    /// The number of lanes that the router picks.
    pub(crate) lanes: usize,
    /// Late interaction over all documents, and over the best by lanes.
    pub(crate) sum_max: bool,
    /// Search by a random token of each query.
    pub(crate) random: Option<u32>,
    /// Search by the unweighted mean of all tokens.
    pub(crate) even: bool,
}

impl Run {
    /// How the model is searched when it is measured.
    pub(crate) fn search_modes(&self) -> SearchModes {
        // that of `sum-max` is its lane
        let sum_max = self.loss.sum_max > 0.0 && self.architecture.system != System::SumMax;
        SearchModes { lanes: self.router.lanes, sum_max, random: None, even: false }
    }
}

/// The result of a way of searching.
pub(crate) struct SearchRun {
    pub(crate) mode: &'static str,
    pub(crate) run: Rankings,
}

/// Views of all queries, and the document views that they are compared with.
struct Search<D: Device> {
    name: &'static str,
    /// Views, the views of each query, and their weights.
    views: (Tensor<D, 2>, Spans, Vec<f32>),
    /// Whether the best of a query's views counts, instead of their sum.
    best: bool,
    /// Whether to compare with token views instead of the searched views.
    by_tokens: bool,
}

/// The rows of each query, and how they are combined into a score.
struct Rows<'a> {
    spans: &'a Spans,
    weights: &'a [f32],
    /// Whether the best row counts, instead of the sum.
    best: bool,
}

impl Rows<'_> {
    /// Combines the weighted rows of each query into columns of a table.
    fn join(&self, scores: &[f32], (into, count, first): (&mut [f32], usize, usize)) {
        let weights = self.weights;
        let width = scores.len() / weights.len().max(1);
        for (query, span) in self.spans.iter().enumerate() {
            let into = &mut into[query * count + first..][..width];
            let rows = span.filter(|&row| weights[row] != 0.0);
            for (number, row) in rows.enumerate() {
                let scores = scores[row * width..][..width].iter().map(|it| weights[row] * it);
                into.iter_mut().zip(scores).for_each(|(so_far, it)| {
                    *so_far = match (number, self.best) {
                        (0, _) => it,
                        (_, true) => so_far.max(it),
                        (_, false) => *so_far + it,
                    }
                });
            }
        }
    }
}

/// The documents of a collection: all judged ones, and others up to the limit.
fn documents(
    settings: &JudgedSettings,
    qrels: &Qrels,
    judgements: &Path,
) -> Result<(Vec<String>, Vec<String>), DataError> {
    let corpus = settings.path.join("corpus.jsonl");
    let grades = qrels.queries().flat_map(|(_, judgements)| judgements.iter());
    let judged: HashSet<&str> = grades.map(|(document, _)| document).collect();
    let mut room = settings.documents.unwrap_or(usize::MAX).saturating_sub(judged.len());
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for document in Documents::open(
        &corpus,
        &ReadSettings { on_error: OnError::Stop, ..ReadSettings::default() },
    )? {
        let document = document?;
        let wanted = judged.contains(document.id.as_str());
        if !wanted && room == 0 {
            continue;
        }
        room -= usize::from(!wanted);
        texts.push(document.full_text().into_owned());
        ids.push(document.id);
    }
    let mut known = HashSet::new();
    if let Some(id) = ids.iter().find(|id| !known.insert(id.as_str())) {
        return Err(DataError::Twice { what: "document", id: id.clone(), path: corpus });
    }
    let absent = |(_, grades): (&str, &Judgements)| {
        let mut all = grades.iter().map(|(document, _)| document);
        all.find(|document| !known.contains(document)).map(str::to_owned)
    };
    match qrels.queries().find_map(absent) {
        Some(id) => Err(missing(judgements, "document", &id, &corpus)),
        None => Ok((ids, texts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(documents: usize) -> JudgedSet {
        let mut qrels = Qrels::default();
        qrels.insert("q0", "d0", 1);
        qrels.insert("q1", "d2", 1);
        let ids = |letter: char, count: usize| {
            (0..count).map(|number| format!("{letter}{number}")).collect::<Vec<_>>()
        };
        JudgedSet {
            path: PathBuf::new(),
            qrels,
            query_ids: ids('q', 2),
            document_ids: ids('d', documents),
            tokens: Default::default(),
            states: None,
        }
    }

    #[test]
    fn measures_by_hand() {
        let set = set(3);
        // the first query finds its document second, the other first
        let run = set.ranked("lane", &[0.5, 0.7, 0.1, 0.2, 0.1, 0.3]).unwrap();
        let found = set.measures(&[SearchRun { mode: "lane", run }]);
        let wanted = (1.0 / 3.0_f64.log2() + 1.0) / 2.0;
        assert_eq!(found[0].0, "lane nDCG@10");
        assert!((found[0].1 - wanted).abs() < 1e-6, "{found:?}");
        assert_eq!(found[1], ("lane R@100".to_owned(), 1.0));
    }

    #[test]
    fn rows_are_added_up_or_the_best_is_taken() {
        let spans = Spans::new(vec![2, 1]);
        // three rows against two documents, the second and third of four
        let scores = [-0.5, 0.5, -0.25, 0.25, 1.0, 2.0];
        let joined = |weights: &[f32], best| {
            let mut into = vec![0.0; 8];
            Rows { spans: &spans, weights, best }.join(&scores, (&mut into, 4, 1));
            into
        };
        let sums = [0.0, -0.75, 0.75, 0.0, 0.0, 1.0, 2.0, 0.0];
        assert_eq!(joined(&[1.0; 3], false), sums);
        // the best of two that are below 0
        let best = [0.0, -0.25, 0.5, 0.0, 0.0, 1.0, 2.0, 0.0];
        assert_eq!(joined(&[1.0; 3], true), best);
        let one = [0.0, -0.25, 0.25, 0.0, 0.0, 1.0, 2.0, 0.0];
        assert_eq!(joined(&[0.0, 1.0, 1.0], false), one);
    }

    #[test]
    fn small_differences_decide_among_the_best() {
        let count = RERANKED + 2;
        let lane: Vec<f32> = (0..2 * count).map(|at| -((at % count) as f32)).collect();
        let token: Vec<f32> = (0..2 * count).map(|at| 20.0 + (at % count) as f32 * 1e-3).collect();
        let found = set(count).reranked(&lane, &token);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| found[b].total_cmp(&found[a]));
        let wanted: Vec<usize> = (0..RERANKED).rev().collect();
        assert_eq!(order[..RERANKED], wanted);
    }
}
