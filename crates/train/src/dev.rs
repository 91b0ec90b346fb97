//! Measures the model as it is: exact search by its lanes over whole collections.

use std::collections::HashSet;
use std::path::PathBuf;

use fastlane_corpus::{Documents, ReadSettings};
use fastlane_eval::{Evaluation, Hit, Measure, Missing, Qrels, Ranking, Run as Rankings, Score};
use fastlane_model::checkpoint::{Side as Texts, Tokeniser};

use crate::architecture::{Network, Side, values};
use crate::backend::{Device, Dropout};
use crate::data::{DataError, States, TokenTable, judged};
use crate::inputs::input;
use crate::run::DevSettings;

/// Documents that are encoded at a time.
const PORTION: usize = 128;
/// How many of the best by lane are scored once more by late interaction.
const RERANKED: usize = 100;

/// A collection with judgements.
pub(crate) struct DevSet {
    pub(crate) path: PathBuf,
    qrels: Qrels,
    query_ids: Vec<String>,
    document_ids: Vec<String>,
    /// Queries, documents.
    pub(crate) tokens: [TokenTable; 2],
    pub(crate) states: Option<[States; 2]>,
}

impl DevSet {
    /// Reads and splits a collection.
    pub(crate) fn read(
        settings: &DevSettings,
        tokeniser: &Tokeniser,
        sides: &[Texts; 2],
    ) -> Result<Self, DataError> {
        let path = settings.path.clone();
        let found = judged(&path, &settings.split)?;
        let (mut qrels, mut query_ids, mut texts) = (Qrels::default(), Vec::new(), Vec::new());
        let limit = settings.queries.unwrap_or(usize::MAX);
        for (query, judgements) in found.qrels.queries().take(limit) {
            let Some(text) = found.queries.get(query) else { continue };
            query_ids.push(query.to_owned());
            texts.push(text.clone());
            judgements.iter().for_each(|(document, grade)| {
                qrels.insert(query, document, grade);
            });
        }
        if texts.is_empty() {
            return Err(DataError::NoPairs { path: found.judgements });
        }
        let (document_ids, documents) = documents(settings, &qrels)?;
        let tokens = [
            TokenTable::new(&texts, tokeniser, &sides[0])?,
            TokenTable::new(&documents, tokeniser, &sides[1])?,
        ];
        Ok(Self { path, qrels, query_ids, document_ids, tokens, states: None })
    }

    /// Searches with all queries; `lanes` are picked by the router, `sum_max` tells late
    /// interaction too.
    pub(crate) fn measure<D: Device>(
        &self,
        network: &Network<D>,
        lanes: usize,
        sum_max: bool,
        device: &D::Device,
    ) -> Result<Vec<(String, f64)>, DataError> {
        let [lane, token] = self.scores(network, lanes, sum_max, device)?;
        let mut all = Vec::new();
        let mut add = |scores: &[f32], what: &str| {
            let measures = self.evaluate(scores);
            all.extend(measures.into_iter().map(|(name, value)| (format!("{what} {name}"), value)));
        };
        add(&lane, "lane");
        if sum_max {
            add(&token, "sum-max");
            add(&self.reranked(&lane, &token), "rerank");
        }
        Ok(all)
    }

    /// The scores of lanes and those of late interaction, `[queries, documents]` each.
    fn scores<D: Device>(
        &self,
        network: &Network<D>,
        lanes: usize,
        sum_max: bool,
        device: &D::Device,
    ) -> Result<[Vec<f32>; 2], DataError> {
        let count = self.document_ids.len();
        let states = |side: usize| self.states.as_ref().map(|states| &states[side]);
        let all: Vec<u32> = (0..self.query_ids.len() as u32).collect();
        let queries = input::<D>(&all, &self.tokens[0], states(0), device)?;
        let queries = network.encode(Side::Query, queries, Dropout::NONE);
        let (views, spans, weights) = network.search_lanes(&queries, lanes);
        let token_views = network.query_tokens(&queries);
        let ones = vec![1.0; queries.spans.rows()];
        let mut found = [vec![0.0; all.len() * count], vec![0.0; all.len() * count]];
        let numbers: Vec<u32> = (0..count as u32).collect();
        for portion in numbers.chunks(PORTION) {
            let documents = input::<D>(portion, &self.tokens[1], states(1), device)?;
            let documents = network.encode(Side::Document, documents, Dropout::NONE);
            let it = network.document_lanes(&documents);
            let best = values(&D::max_sim(views.clone(), it.views, &it.spans));
            let sums = (&spans, weights.as_slice());
            add_up(&best, sums, (&mut found[0], count, portion[0] as usize));
            if sum_max {
                let (document_views, document_spans) = network.document_tokens(&documents);
                let best = D::max_sim(token_views.clone(), document_views, &document_spans);
                let sums = (&queries.spans, ones.as_slice());
                add_up(&values(&best), sums, (&mut found[1], count, portion[0] as usize));
            }
        }
        Ok(found)
    }

    /// The order by lane, of which the best are put into that of late interaction.
    fn reranked(&self, lane: &[f32], token: &[f32]) -> Vec<f32> {
        let count = self.document_ids.len();
        let row = |(lane, token): (&[f32], &[f32])| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| lane[b].total_cmp(&lane[a]).then(a.cmp(&b)));
            let mut scores = lane.to_vec();
            // all of them above all that are not scored again
            order.iter().take(RERANKED).for_each(|&at| scores[at] = 1e6 + token[at]);
            scores
        };
        lane.chunks_exact(count).zip(token.chunks_exact(count)).flat_map(row).collect()
    }

    fn evaluate(&self, scores: &[f32]) -> Vec<(String, f64)> {
        let mut run = Rankings::new("dev");
        for (query, scores) in
            self.query_ids.iter().zip(scores.chunks_exact(self.document_ids.len()))
        {
            let mut order: Vec<usize> = (0..scores.len()).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
            let hit = |&at: &usize| {
                let score = Score::new(f64::from(scores[at]))?;
                Some(Hit { document: self.document_ids[at].as_str().into(), score })
            };
            let hits = order.iter().take(100).filter_map(hit).collect();
            run.insert(query.as_str(), Ranking::new(hits).expect("ids differ in a collection"));
        }
        let measures: Vec<Measure> =
            ["nDCG@10", "R@100"].map(|name| name.parse().expect("the measure exists")).to_vec();
        let evaluation = Evaluation::new(&run, &self.qrels, &measures, Missing::Zero);
        let evaluation = evaluation.expect("each query was searched");
        let value =
            |(place, measure): (usize, &Measure)| (measure.to_string(), evaluation.mean(place));
        measures.iter().enumerate().map(value).collect()
    }
}

/// Adds up the rows of each query, each times its weight, into columns of a table.
fn add_up(
    best: &[f32],
    (spans, weights): (&crate::backend::Spans, &[f32]),
    (into, count, first): (&mut [f32], usize, usize),
) {
    let width = best.len() / weights.len().max(1);
    for (query, span) in spans.iter().enumerate() {
        let into = &mut into[query * count + first..][..width];
        for row in span.filter(|&row| weights[row] != 0.0) {
            let best = &best[row * width..][..width];
            into.iter_mut().zip(best).for_each(|(sum, it)| *sum += weights[row] * it);
        }
    }
}

/// The documents of a collection: all that are judged, and others up to the limit.
fn documents(
    settings: &DevSettings,
    qrels: &Qrels,
) -> Result<(Vec<String>, Vec<String>), DataError> {
    let corpus = settings.path.join("corpus.jsonl");
    let grades = qrels.queries().flat_map(|(_, judgements)| judgements.iter());
    let judged: HashSet<&str> = grades.map(|(document, _)| document).collect();
    let mut room = settings.documents.unwrap_or(usize::MAX).saturating_sub(judged.len());
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for document in Documents::open(&corpus, &ReadSettings::default())? {
        let document = document?;
        let wanted = judged.contains(document.id.as_str());
        if !wanted && room == 0 {
            continue;
        }
        room -= usize::from(!wanted);
        texts.push(document.full_text().into_owned());
        ids.push(document.id);
    }
    Ok((ids, texts))
}
