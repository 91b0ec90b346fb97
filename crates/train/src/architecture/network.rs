//! One forward pass: states to views, and views to the scores that the losses compare.
//!
//! `s(q,d) = Σ_i w_i · max_j <q_i, d_j>`: the systems differ in the views and in w.

use burn_tensor::Tensor;
use fastlane_model::Architecture;

use super::bert::{Bert, TokenRows};
use super::heads::{Projections, Router, Slots, even, mixed, nothing, padded};
use super::weights::{Weights, values};
use crate::backend::{Device, Dropout, Spans, hash};
use crate::router::picked;
use crate::run::{ArchitectureSettings, System};

/// Queries or documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Query,
    Document,
}

impl Side {
    /// The prefix of the names of its encoder's weights.
    pub(crate) fn tower(self, split: bool) -> &'static str {
        match self {
            Self::Query if split => "query.",
            Self::Query | Self::Document => "document.",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Document => "document",
        }
    }
}

/// Texts as input of the trained layers.
#[derive(Debug, Clone)]
pub(crate) struct Input<D: Device> {
    /// Their tokens.
    pub(crate) tokens: TokenRows,
    /// Their states, if the layers below are frozen.
    pub(crate) states: Option<Tensor<D, 2>>,
}

/// States of texts.
#[derive(Debug, Clone)]
pub(crate) struct Encoded<D: Device> {
    pub(crate) states: Tensor<D, 2>,
    pub(crate) spans: Spans,
    /// The rows that give token views.
    kept: Option<(Vec<u32>, Spans)>,
}

/// The scores of the searched lanes.
pub(crate) enum LaneScores<D: Device> {
    /// One view, or a fixed sum of views: `[queries, documents]`.
    One(Tensor<D, 2>),
    /// The view of each token: `[queries, longest, documents]`. Padding has another row's score;
    /// the router's share is 0 there.
    Each(Tensor<D, 3>),
}

/// The scores that the losses compare.
pub(crate) struct Scores<D: Device> {
    pub(crate) lanes: LaneScores<D>,
    /// The router's logits, `[queries, longest]`.
    pub(crate) logits: Option<Tensor<D, 2>>,
    /// Late-interaction scores, if requested.
    pub(crate) sum_max: Option<Tensor<D, 2>>,
    /// The queries' tokens.
    pub(crate) spans: Spans,
    /// The searching views of queries.
    pub(crate) queries: Tensor<D, 2>,
    /// The searched views of documents.
    pub(crate) documents: Tensor<D, 2>,
}

/// The searched views of documents.
pub(crate) struct DocumentLanes<D: Device> {
    pub(crate) views: Tensor<D, 2>,
    pub(crate) spans: Spans,
}

/// The network with its weights, for one step.
pub(crate) struct Network<D: Device> {
    settings: ArchitectureSettings,
    split: bool,
    encoders: [Bert<D>; 2],
    query: Projections<D>,
    document: Projections<D>,
    router: Option<Router<D>>,
    slots: Option<Slots<D>>,
    skip: Vec<u32>,
}

/// The settings of a network.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) settings: ArchitectureSettings,
    /// The encoders of queries and documents.
    pub(crate) encoders: [Architecture; 2],
    /// The first layer of the network: the states below are computed elsewhere.
    pub(crate) from: usize,
    /// Tokens that give no views of documents, in order.
    pub(crate) skip: Vec<u32>,
}

impl<D: Device> Network<D> {
    pub(crate) fn new(frame: &Frame, weights: &Weights<D>) -> Self {
        let settings = frame.settings.clone();
        let split = settings.split();
        let encoder = |side: Side| {
            Bert::of(weights, side.tower(split), &frame.encoders[side as usize], frame.from)
        };
        let projections = |side: Side| {
            Projections::of(weights, side.tower(split), side.name(), settings.normalise)
        };
        Self {
            split,
            encoders: [Side::Query, Side::Document].map(encoder),
            query: projections(Side::Query),
            document: projections(Side::Document),
            router: Router::of(weights),
            slots: Slots::of(weights, settings.document_windows),
            skip: frame.skip.clone(),
            settings,
        }
    }

    /// Runs the trained layers.
    pub(crate) fn encode(&self, side: Side, input: Input<D>, dropout: Dropout) -> Encoded<D> {
        let encoder = &self.encoders[side as usize];
        let dropout = dropout.of(if self.split { side as u32 } else { 2 + side as u32 });
        let states = encoder.states(&input.tokens, input.states, dropout);
        self.encoded(side, input.tokens, states)
    }

    /// As [`encode`](Self::encode), with states that were computed before.
    pub(crate) fn resume(&self, side: Side, input: Input<D>, states: Tensor<D, 2>) -> Encoded<D> {
        self.encoded(side, input.tokens, states)
    }

    fn encoded(&self, side: Side, tokens: TokenRows, states: Tensor<D, 2>) -> Encoded<D> {
        let skips = side == Side::Document && !self.skip.is_empty();
        let kept = skips.then(|| self.kept(&tokens));
        Encoded { states, spans: tokens.spans, kept }
    }

    /// The rows of tokens that are not skipped; a text of skipped tokens only has none.
    fn kept(&self, tokens: &TokenRows) -> (Vec<u32>, Spans) {
        let (mut rows, mut lengths) = (Vec::new(), Vec::new());
        for span in tokens.spans.iter() {
            let keeps = |row: &usize| self.skip.binary_search(&tokens.ids[*row]).is_err();
            let before = rows.len();
            rows.extend(span.filter(keeps).map(|row| row as u32));
            lengths.push(rows.len() - before);
        }
        (rows, Spans::new(lengths))
    }

    /// Scores all documents for all queries.
    pub(crate) fn scores(
        &self,
        queries: &Encoded<D>,
        documents: &Encoded<D>,
        sum_max: bool,
    ) -> Scores<D> {
        let logits = self.logits(queries);
        let (views, spans) = self.query_lanes(queries, logits.as_ref());
        let found = self.document_lanes(documents);
        let best = D::max_sim(views.clone(), found.views.clone(), &found.spans);
        let lanes = match self.settings.system {
            System::Dual | System::StaticTied | System::StaticSplit | System::FastlaneSoft => {
                LaneScores::One(best)
            }
            System::Fastlane => LaneScores::Each(padded(best, &spans)),
            System::SumMax => LaneScores::One(summed(best, &spans)),
            System::MaxMax => LaneScores::One(most(best, &spans)),
        };
        let sum_max = sum_max.then(|| {
            let (views, spans) = self.document_tokens(documents);
            let queries_views = self.query.token_views(queries.states.clone());
            summed(D::max_sim(queries_views, views, &spans), &queries.spans)
        });
        let spans = queries.spans.clone();
        Scores { lanes, logits, sum_max, spans, queries: views, documents: found.views }
    }

    /// The router's logit of each token.
    pub(crate) fn logits(&self, queries: &Encoded<D>) -> Option<Tensor<D, 2>> {
        let router = self.router.as_ref()?;
        Some(router.logits(queries.states.clone(), &queries.spans))
    }

    /// The possible lanes of a query.
    fn query_lanes(
        &self,
        queries: &Encoded<D>,
        logits: Option<&Tensor<D, 2>>,
    ) -> (Tensor<D, 2>, Spans) {
        let Encoded { states, spans, .. } = queries;
        let one = || Spans::new(vec![1; spans.count()]);
        let states = states.clone();
        match self.settings.system {
            System::Dual => (self.query.lane_views(mean(states, spans)), one()),
            System::StaticTied | System::StaticSplit => {
                (self.query.lane_views(first(states, spans)), one())
            }
            System::FastlaneSoft => {
                let logits = logits.expect("the soft lane has a router").clone();
                let alpha = burn_tensor::activation::softmax(logits, 1);
                (self.query.lane_views(mixed(states, alpha, spans)), one())
            }
            System::Fastlane => (self.query.lane_views(states), spans.clone()),
            System::SumMax | System::MaxMax => (self.query.token_views(states), spans.clone()),
        }
    }

    /// The searched views of documents.
    pub(crate) fn document_lanes(&self, documents: &Encoded<D>) -> DocumentLanes<D> {
        let Encoded { states, spans, .. } = documents;
        if self.settings.system == System::Dual {
            let views = self.document.lane_views(mean(states.clone(), spans));
            return DocumentLanes { views, spans: Spans::new(vec![1; spans.count()]) };
        }
        if let Some(slots) = &self.slots {
            let views = self.document.lane_views(slots.pool(states.clone(), spans));
            let spans = Spans::new(vec![slots.views(); spans.count()]);
            return DocumentLanes { views, spans };
        }
        let (states, spans) = documents.kept();
        DocumentLanes { views: self.document.lane_views(states), spans }
    }

    /// The token views of documents.
    pub(crate) fn document_tokens(&self, documents: &Encoded<D>) -> (Tensor<D, 2>, Spans) {
        let (states, spans) = documents.kept();
        (self.document.token_views(states), spans)
    }

    /// Whether a document's score is the best of a query's lanes instead of their sum.
    pub(crate) fn takes_best(&self) -> bool {
        self.settings.system == System::MaxMax
    }

    /// The searching views of queries with their weights: the lanes of the exported model, except
    /// for `max-max`.
    pub(crate) fn search_lanes(
        &self,
        queries: &Encoded<D>,
        lanes: usize,
    ) -> (Tensor<D, 2>, Spans, Vec<f32>) {
        let logits = self.logits(queries);
        let (views, spans) = self.query_lanes(queries, logits.as_ref());
        let weights = match (self.settings.system, logits) {
            (System::Fastlane, Some(logits)) => {
                let alpha = burn_tensor::activation::softmax(logits, 1);
                let kept = picked(&alpha, &queries.spans, lanes) * alpha;
                let shares = values(&(kept.clone() / kept.sum_dim(1)));
                queries.spans.places().into_iter().map(|place| shares[place]).collect()
            }
            _ => vec![1.0; spans.rows()],
        };
        (views, spans, weights)
    }

    /// The view of a random token per query: a baseline for the router.
    pub(crate) fn random_lanes(
        &self,
        queries: &Encoded<D>,
        seed: u32,
    ) -> (Tensor<D, 2>, Spans, Vec<f32>) {
        let pick = |(span, text): (std::ops::Range<usize>, u32)| {
            (span.start + hash(seed, text) as usize % span.len()) as u32
        };
        let picks: Vec<u32> = queries.spans.iter().zip(0..).map(pick).collect();
        let views = self.query.lane_views(D::rows(queries.states.clone(), &picks));
        (views, Spans::new(vec![1; picks.len()]), vec![1.0; picks.len()])
    }

    /// All tokens of each query with equal weight: a baseline for a router that mixes them.
    pub(crate) fn even_lanes(&self, queries: &Encoded<D>) -> (Tensor<D, 2>, Spans, Vec<f32>) {
        let count = queries.spans.count();
        let views = self.query.lane_views(mean(queries.states.clone(), &queries.spans));
        (views, Spans::new(vec![1; count]), vec![1.0; count])
    }

    /// The views of queries for late interaction.
    pub(crate) fn query_tokens(&self, queries: &Encoded<D>) -> Tensor<D, 2> {
        self.query.token_views(queries.states.clone())
    }
}

impl<D: Device> Encoded<D> {
    /// The states that give token views.
    fn kept(&self) -> (Tensor<D, 2>, Spans) {
        match &self.kept {
            Some((rows, spans)) => (D::rows(self.states.clone(), rows), spans.clone()),
            None => (self.states.clone(), self.spans.clone()),
        }
    }
}

/// The mean state of each text.
fn mean<D: Device>(states: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
    let even = even::<D>(spans, &states.device());
    mixed(states, even, spans)
}

/// The state of each text's first token.
fn first<D: Device>(states: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
    let starts: Vec<u32> = spans.iter().map(|span| span.start as u32).collect();
    D::rows(states, &starts)
}

/// Sums the rows of each query.
fn summed<D: Device>(best: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
    let ones = spans.real().into_iter().map(|real| f32::from(u8::from(real))).collect::<Vec<_>>();
    let shape = [spans.count(), spans.longest()];
    let ones = Tensor::from_data(burn_tensor::TensorData::new(ones, shape), &best.device());
    mixed(best, ones, spans)
}

/// The largest of each query's rows.
fn most<D: Device>(best: Tensor<D, 2>, spans: &Spans) -> Tensor<D, 2> {
    let (texts, longest, documents) = (spans.count(), spans.longest(), best.dims()[1]);
    let nothing = nothing::<D>(spans, &best.device()).reshape([texts, longest, 1]);
    (padded(best, spans) + nothing).max_dim(1).reshape([texts, documents])
}
