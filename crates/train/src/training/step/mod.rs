//! Computes the losses and gradients of one batch.

use burn_tensor::{Tensor, TensorData, activation};

use crate::architecture::{
    Encoded, Input, LaneScores, Network, Scores, Side, Weights, mixed, values,
};
use crate::backend::{Device, Dropout, hash};
use crate::data::{Batch, Known};
use crate::loss::{Aligned, Parts, Targets};
use crate::router::{Pick, pick};
use crate::run::{Estimator, Run};
use crate::training::schedule;

/// The results of a step, besides gradients.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Terms {
    /// The total loss: the weighted sum of all terms.
    pub(crate) loss: f64,
    /// The terms by name, without their weights.
    pub(crate) terms: Vec<(&'static str, f64)>,
    /// The router's shares of each query, if there is a router.
    pub(crate) alpha: Vec<Vec<f32>>,
}

/// The texts of a batch as input of the network.
pub(crate) struct Texts<D: Device> {
    pub(crate) queries: Input<D>,
    pub(crate) documents: Input<D>,
}

/// What other systems know of a batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Teachers {
    /// Scores `[queries, documents]`, NaN where there is none.
    pub(crate) scores: Option<Vec<f32>>,
    /// Views of queries and of documents.
    pub(crate) views: [Option<Known>; 2],
}

/// Computes losses.
pub(crate) struct Losses<'a> {
    pub(crate) run: &'a Run,
    /// The number of the step, from 0.
    pub(crate) step: u32,
    /// The seed, which differs between the batches of a step.
    pub(crate) seed: u32,
}

impl Losses<'_> {
    /// The dropout of this batch.
    pub(crate) fn dropout(&self) -> Dropout {
        Dropout { rate: self.run.architecture.dropout, seed: hash(self.seed, 11) }
    }

    /// The temperature of picks.
    pub(crate) fn tau(&self) -> f32 {
        schedule::tau(&self.run.router.tau, self.step, self.run.schedule.steps)
    }

    /// The loss of a batch, and its terms.
    pub(crate) fn of<D: Device>(
        &self,
        (network, weights): (&Network<D>, &Weights<D>),
        [queries, documents]: [&Encoded<D>; 2],
        batch: &Batch,
        teachers: &Teachers,
    ) -> (Tensor<D, 1>, Terms) {
        let loss = &self.run.loss;
        let scores = network.scores(queries, documents, loss.needs_late());
        let device = queries.states.device();
        let targets = Targets::new(&batch.relations, batch.queries.len(), &device);
        let alpha = scores.logits.clone().map(|logits| activation::softmax(logits, 1));
        let spread = self.spread(weights, "temperature.lane", self.run.lane_temperature());
        let mixture = match (&scores.lanes, &scores.logits) {
            (LaneScores::Each(each), Some(logits)) if self.mixes() => {
                let spread = spread.clone().reshape([1, 1, 1]);
                Some((each.clone() * spread, activation::log_softmax(logits.clone(), 1)))
            }
            _ => None,
        };
        let weight = alpha.as_ref().map(|alpha| self.weight(&scores, alpha));
        let parts = Parts {
            views: aligned(&scores, weight.as_ref(), &teachers.views),
            lane: lane(&scores, weight) * spread,
            mixture,
            late: scores.sum_max.clone().map(|late| {
                late * self.spread(weights, "temperature.sum_max", loss.sum_max_temperature)
            }),
            alpha,
            targets: &targets,
            teacher: teachers.scores.as_deref(),
        };
        let (mut sum, mut terms) = (Tensor::zeros([1], &device), Terms::default());
        loss.terms(&parts, |name, weight, term| {
            terms.terms.push((name, f64::from(values(&term)[0])));
            sum = sum.clone() + term * weight;
        });
        if let Some(alpha) = &parts.alpha {
            terms.alpha = rows(alpha, &scores.spans);
        }
        terms.loss = f64::from(values(&sum)[0]);
        (sum, terms)
    }

    fn mixes(&self) -> bool {
        self.run.router.estimator == Estimator::Mixture
    }

    /// The factor of scores: one over the temperature, trained or fixed.
    fn spread<D: Device>(
        &self,
        weights: &Weights<D>,
        name: &str,
        temperature: f32,
    ) -> Tensor<D, 2> {
        match self.run.loss.learn_temperature {
            true => (-weights.get(name)).exp(),
            false => Tensor::full([1, 1], 1.0 / temperature, &weights.tables[0].device()),
        }
    }

    /// How much each token counts in the lane of a query.
    fn weight<D: Device>(&self, scores: &Scores<D>, alpha: &Tensor<D, 2>) -> Tensor<D, 2> {
        match self.mixes() {
            true => alpha.clone(),
            false => pick(alpha.clone(), &scores.spans, &self.pick()),
        }
    }

    fn pick(&self) -> Pick {
        let router = &self.run.router;
        Pick {
            epsilon: router.epsilon,
            mask: router.mask,
            noise: router.noise.then(|| hash(self.seed, 12)),
            tau: self.tau(),
            straight_through: router.straight_through,
            lanes: router.lanes,
        }
    }
}

/// One score for each query and document.
fn lane<D: Device>(scores: &Scores<D>, weight: Option<Tensor<D, 2>>) -> Tensor<D, 2> {
    let (each, weight) = match (&scores.lanes, weight) {
        (LaneScores::One(one), _) => return one.clone(),
        (LaneScores::Each(each), Some(weight)) => (each, weight),
        (LaneScores::Each(_), None) => unreachable!("lanes are picked by a router"),
    };
    let [queries, longest, documents] = each.dims();
    let sums = weight.reshape([queries, 1, longest]).matmul(each.clone());
    sums.reshape([queries, documents])
}

/// The searched views, next to those of another system where it has any.
fn aligned<D: Device>(
    scores: &Scores<D>,
    weight: Option<&Tensor<D, 2>>,
    theirs: &[Option<Known>; 2],
) -> Vec<Aligned<D>> {
    let queries = || match (&scores.lanes, weight) {
        // the lane of a hard router is the view of its token, or the mixture while it learns
        (LaneScores::Each(_), Some(weight)) => {
            mixed(scores.queries.clone(), weight.clone(), &scores.spans)
        }
        _ => scores.queries.clone(),
    };
    let documents = || scores.documents.clone();
    let ours: [&dyn Fn() -> Tensor<D, 2>; 2] = [&queries, &documents];
    let of = |(ours, theirs): (&dyn Fn() -> Tensor<D, 2>, &Option<Known>)| {
        let Known { values, known, dim } = theirs.clone()?;
        let ours = ours();
        let device = ours.device();
        let rows = known.len();
        let table =
            |values, columns| Tensor::from_data(TensorData::new(values, [rows, columns]), &device);
        Some(Aligned { ours, theirs: table(values, dim), known: table(known, 1) })
    };
    ours.into_iter().zip(theirs).filter_map(of).collect()
}

/// The real shares of each query.
fn rows<D: Device>(alpha: &Tensor<D, 2>, spans: &crate::backend::Spans) -> Vec<Vec<f32>> {
    let longest = alpha.dims()[1];
    let all = values(alpha);
    let row = |(text, span): (usize, std::ops::Range<usize>)| {
        all[text * longest..][..span.len()].to_vec()
    };
    spans.iter().enumerate().map(row).collect()
}

/// Computes the losses of a batch and the gradient of each parameter, `None` where it has none.
pub(crate) fn gradients<D: Device>(
    losses: &Losses<'_>,
    (network, weights): (&Network<D>, &Weights<D>),
    texts: Texts<D>,
    batch: &Batch,
    teachers: &Teachers,
) -> (Terms, Vec<Option<Tensor<D::InnerBackend, 2>>>) {
    let dropout = losses.dropout();
    let queries = network.encode(Side::Query, texts.queries, dropout);
    let documents = network.encode(Side::Document, texts.documents, dropout);
    let encoded = [&queries, &documents];
    let (loss, terms) = losses.of((network, weights), encoded, batch, teachers);
    let gradients = loss.backward();
    let found = weights.tables.iter().map(|table| table.grad(&gradients)).collect();
    (terms, found)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod golden;
