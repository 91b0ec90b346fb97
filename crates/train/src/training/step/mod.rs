//! One batch: from texts to losses to gradients.

use burn_tensor::{Tensor, activation};

use crate::architecture::{Encoded, Input, LaneScores, Network, Scores, Side, Weights, values};
use crate::backend::{Device, Dropout, hash};
use crate::data::Batch;
use crate::loss::{Targets, balance, contrastive, entropy, mixture, teacher};
use crate::router::{Pick, pick};
use crate::run::{Estimator, Run};
use crate::training::schedule;

/// What a step gave, besides gradients.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Terms {
    /// The sum of all terms, each times its weight.
    pub(crate) loss: f64,
    /// The terms by name, without their weights.
    pub(crate) terms: Vec<(&'static str, f64)>,
    /// The router's shares of each query, if there is a router.
    pub(crate) alpha: Vec<Vec<f32>>,
}

/// The texts of a batch, ready for the network.
pub(crate) struct Texts<D: Device> {
    pub(crate) queries: Input<D>,
    pub(crate) documents: Input<D>,
}

/// Computes losses.
pub(crate) struct Losses<'a> {
    pub(crate) run: &'a Run,
    /// The number of the step, from 0.
    pub(crate) step: u32,
    /// Tells batches of one step apart.
    pub(crate) seed: u32,
}

impl Losses<'_> {
    /// The noise of this batch.
    pub(crate) fn dropout(&self) -> Dropout {
        Dropout { rate: self.run.architecture.dropout, seed: hash(self.seed, 11) }
    }

    /// How soft picks are.
    pub(crate) fn tau(&self) -> f32 {
        schedule::tau(&self.run.router.tau, self.step, self.run.schedule.steps)
    }

    /// The loss of a batch, and its terms.
    pub(crate) fn of<D: Device>(
        &self,
        (network, weights): (&Network<D>, &Weights<D>),
        [queries, documents]: [&Encoded<D>; 2],
        batch: &Batch,
        teacher_scores: Option<&[f32]>,
    ) -> (Tensor<D, 1>, Terms) {
        let loss = &self.run.loss;
        let scores = network.scores(queries, documents, loss.sum_max + loss.distil > 0.0);
        let device = queries.states.device();
        let targets = Targets::new(&batch.relations, batch.queries.len(), &device);
        let mut sum = Sum { loss: Tensor::zeros([1], &device), terms: Terms::default() };
        let alpha = scores.logits.clone().map(|logits| activation::softmax(logits, 1));
        let spread = self.spread(weights, "temperature.lane", self.run.lane_temperature());
        let lane = self.lane(&scores, alpha.as_ref());
        match (&scores.lanes, &scores.logits) {
            (LaneScores::Each(each), Some(logits)) if self.mixes() => {
                let spread = spread.clone().reshape([1, 1, 1]);
                let log_alpha = activation::log_softmax(logits.clone(), 1);
                let term = mixture(each.clone() * spread, log_alpha, &targets);
                sum.add("mixture", loss.contrastive, term);
            }
            _ => {
                let term = contrastive(lane.clone() * spread.clone(), &targets);
                sum.add("contrastive", loss.contrastive, term);
            }
        }
        if let Some(sum_max) = scores.sum_max {
            let hotter = self.spread(weights, "temperature.sum_max", loss.sum_max_temperature);
            let late = sum_max * hotter;
            if loss.distil > 0.0 {
                // values, so that nothing flows back: late interaction teaches, and is not taught
                let term = teacher(lane.clone() * spread.clone(), &values(&late), 1.0);
                sum.add("distil", loss.distil, term);
            }
            sum.add("sum_max", loss.sum_max, contrastive(late, &targets));
        }
        if let (Some(settings), Some(known)) = (&loss.teacher, teacher_scores) {
            let term = teacher(lane * spread, known, settings.temperature);
            sum.add("teacher", settings.weight, term);
        }
        if let Some(alpha) = alpha {
            sum.terms.alpha = rows(&alpha, &scores.spans);
            sum.add("entropy", loss.entropy, entropy(alpha.clone()));
            sum.add("balance", loss.balance, balance(alpha));
        }
        sum.terms.loss = f64::from(values(&sum.loss)[0]);
        (sum.loss, sum.terms)
    }

    fn mixes(&self) -> bool {
        self.run.router.estimator == Estimator::Mixture
    }

    /// What scores are multiplied with: one over the temperature, learned or fixed.
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

    /// One score for each query and document.
    fn lane<D: Device>(&self, scores: &Scores<D>, alpha: Option<&Tensor<D, 2>>) -> Tensor<D, 2> {
        let (each, alpha) = match (&scores.lanes, alpha) {
            (LaneScores::One(one), _) => return one.clone(),
            (LaneScores::Each(each), Some(alpha)) => (each, alpha),
            (LaneScores::Each(_), None) => unreachable!("lanes are picked by a router"),
        };
        let weight = match self.mixes() {
            true => alpha.clone(),
            false => pick(alpha.clone(), &scores.spans, &self.pick()),
        };
        let [queries, longest, documents] = each.dims();
        let sums = weight.reshape([queries, 1, longest]).matmul(each.clone());
        sums.reshape([queries, documents])
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

/// Terms that are added up.
struct Sum<D: Device> {
    loss: Tensor<D, 1>,
    terms: Terms,
}

impl<D: Device> Sum<D> {
    /// Adds a term, if it counts.
    fn add(&mut self, name: &'static str, weight: f32, term: Tensor<D, 1>) {
        if weight != 0.0 {
            self.terms.terms.push((name, f64::from(values(&term)[0])));
            self.loss = self.loss.clone() + term * weight;
        }
    }
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
    teacher_scores: Option<&[f32]>,
) -> (Terms, Vec<Option<Tensor<D::InnerBackend, 2>>>) {
    let dropout = losses.dropout();
    let queries = network.encode(Side::Query, texts.queries, dropout);
    let documents = network.encode(Side::Document, texts.documents, dropout);
    let encoded = [&queries, &documents];
    let (loss, terms) = losses.of((network, weights), encoded, batch, teacher_scores);
    let gradients = loss.backward();
    let found = weights.tables.iter().map(|table| table.grad(&gradients)).collect();
    (terms, found)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod golden;
