//! The parameters of a run on a device, and the steps that update them.

use std::time::Instant;

use burn_tensor::Tensor;

use crate::architecture::{Encoded, Network, Parameter, Side, Weights};
use crate::backend::{Device, Spans, hash};
use crate::data::inputs::input;
use crate::data::{Batch, DataError};
use crate::error::TrainError;
use crate::events::observer::StepReport;
use crate::events::router_stats::RouterPicks;
use crate::run::{Estimator, System};
use crate::training::optimiser::Optimiser;
use crate::training::prepare::Prepared;
use crate::training::schedule;
use crate::training::step::{Losses, Teachers, Terms, Texts, gradients};

/// The parameters, the optimiser and the loss of a run.
pub(crate) struct Learner<'a, D: Device> {
    prepared: &'a Prepared,
    device: D::Device,
    pub(crate) weights: Weights<D::InnerBackend>,
    pub(crate) optimiser: Optimiser<D::InnerBackend>,
}

/// The gradient of each parameter, where it has one.
type Gradients<D> =
    Vec<Option<Tensor<<D as burn_tensor::backend::AutodiffBackend>::InnerBackend, 2>>>;

impl<'a, D: Device> Learner<'a, D> {
    /// Moves parameters to a device.
    pub(crate) fn new(
        prepared: &'a Prepared,
        parameters: Vec<Parameter>,
        device: D::Device,
    ) -> Self {
        let weights = Weights::new(parameters, prepared.run.precision, &device);
        let settings = &prepared.run.optimiser;
        let optimiser = Optimiser::new(settings, &weights, &prepared.frame.encoders[1]);
        Self { prepared, device, weights, optimiser }
    }

    /// Makes a step with some batches; fails if a loss is not finite.
    pub(crate) fn step(&mut self, step: u32, batches: &[Batch]) -> Result<StepReport, TrainError> {
        let began = Instant::now();
        let run = &self.prepared.run;
        let mut sum: Gradients<D> = vec![None; self.weights.tables.len()];
        let (mut all, mut tokens, mut picks) = (Vec::new(), 0, RouterPicks::default());
        for (place, batch) in batches.iter().enumerate() {
            let seed = hash(hash(run.seed, step), place as u32);
            let losses = Losses { run, step, seed };
            let (terms, found) = self.gradients(&losses, batch)?;
            finite(&terms, step)?;
            for (alpha, &query) in terms.alpha.iter().zip(&batch.queries) {
                picks.add(alpha, self.prepared.tokens[0].of(query));
            }
            tokens += self.tokens(batch);
            all.push(terms);
            add(&mut sum, found);
        }
        if batches.len() > 1 {
            let part = 1.0 / batches.len() as f32;
            sum.iter_mut().flatten().for_each(|sum| *sum = sum.clone() * part);
        }
        let rate = schedule::rate(&run.schedule, step);
        let gradient = self.optimiser.step::<D>(&mut self.weights, sum, rate);
        let picks_softly = run.architecture.system == System::Fastlane
            && run.router.estimator == Estimator::Gumbel;
        let tau = picks_softly.then(|| schedule::tau(&run.router.tau, step, run.schedule.steps));
        let tokens_per_second = tokens as f64 / began.elapsed().as_secs_f64();
        Ok(StepReport {
            step: step + 1,
            loss: mean(&all, |terms| terms.loss),
            terms: means(&all),
            rate,
            tau,
            gradient,
            tokens_per_second,
            entropy: picks.entropy(),
            positions: picks.positions,
            tokens: picks.tokens,
        })
    }

    /// The current network without gradients.
    pub(crate) fn network(&self) -> Network<D> {
        Network::new(&self.prepared.frame, &self.weights.tracked::<D>(|_| false))
    }

    pub(crate) fn device(&self) -> &D::Device {
        &self.device
    }

    fn gradients(
        &self,
        losses: &Losses<'_>,
        batch: &Batch,
    ) -> Result<(Terms, Gradients<D>), DataError> {
        let teachers = self.prepared.teachers(batch);
        match self.prepared.run.schedule.checkpoint_texts {
            0 => {
                let weights = self.weights.tracked::<D>(|_| true);
                let network = Network::new(&self.prepared.frame, &weights);
                let texts = Texts {
                    queries: self.input(Side::Query, &batch.queries)?,
                    documents: self.input(Side::Document, &batch.documents)?,
                };
                Ok(gradients(losses, (&network, &weights), texts, batch, &teachers))
            }
            texts => self.in_portions(losses, batch, texts, &teachers),
        }
    }

    /// The same gradients with the activations of a few texts at a time: all texts are encoded, the
    /// gradient of their states is computed, then each portion is encoded once more with gradients.
    fn in_portions(
        &self,
        losses: &Losses<'_>,
        batch: &Batch,
        texts: usize,
        teachers: &Teachers,
    ) -> Result<(Terms, Gradients<D>), DataError> {
        let still = self.network();
        let sides = [(Side::Query, &batch.queries), (Side::Document, &batch.documents)];
        let encoded = sides.map(|(side, all)| {
            let portions = all.chunks(texts).zip(0..);
            let found = portions.map(|(some, portion)| {
                let input = self.input(side, some)?;
                Ok(still.encode(side, input, losses.dropout().of(100 + portion)).states.inner())
            });
            let states = found.collect::<Result<Vec<_>, DataError>>()?;
            let states = Tensor::from_inner(Tensor::cat(states, 0)).require_grad();
            Ok::<_, DataError>((states.clone(), still.resume(side, self.input(side, all)?, states)))
        });
        let [queries, documents] = encoded;
        let ((query_states, queries), (document_states, documents)) = (queries?, documents?);
        let weights = self.weights.tracked::<D>(|_| true);
        let network = Network::new(&self.prepared.frame, &weights);
        let (loss, terms) =
            losses.of((&network, &weights), [&queries, &documents], batch, teachers);
        let found = loss.backward();
        let mut sum: Gradients<D> = weights.tables.iter().map(|table| table.grad(&found)).collect();
        let states = [query_states, document_states].map(|states| states.grad(&found));
        for ((side, all), gradient) in sides.into_iter().zip(states) {
            let Some(gradient) = gradient else { continue };
            let mut row = 0;
            for (some, portion) in all.chunks(texts).zip(0..) {
                let weights = self.weights.tracked::<D>(|_| true);
                let network = Network::new(&self.prepared.frame, &weights);
                let input = self.input(side, some)?;
                let Encoded { states, spans, .. } =
                    network.encode(side, input, losses.dropout().of(100 + portion));
                let part = gradient.clone().slice([row..row + spans.rows(), 0..gradient.dims()[1]]);
                row += Spans::rows(&spans);
                let found = (states * Tensor::from_inner(part)).sum().backward();
                add(&mut sum, weights.tables.iter().map(|table| table.grad(&found)).collect());
            }
        }
        Ok((terms, sum))
    }

    fn input(&self, side: Side, texts: &[u32]) -> Result<crate::architecture::Input<D>, DataError> {
        let place = usize::from(side == Side::Document);
        let states = self.prepared.states.as_ref().map(|states| &states[place]);
        input(texts, &self.prepared.tokens[place], states, &self.device)
    }

    fn tokens(&self, batch: &Batch) -> usize {
        let count = |place: usize, texts: &[u32]| {
            let tokens = &self.prepared.tokens[place];
            texts.iter().map(|&text| tokens.of(text).len()).sum::<usize>()
        };
        count(0, &batch.queries) + count(1, &batch.documents)
    }
}

fn add<B: burn_tensor::backend::Backend>(
    sum: &mut [Option<Tensor<B, 2>>],
    found: Vec<Option<Tensor<B, 2>>>,
) {
    for (sum, found) in sum.iter_mut().zip(found) {
        *sum = match (sum.take(), found) {
            (Some(sum), Some(found)) => Some(sum + found),
            (sum, found) => sum.or(found),
        };
    }
}

/// Refuses a term that is not finite, by its name.
fn finite(terms: &Terms, step: u32) -> Result<(), TrainError> {
    let all = terms.terms.iter().copied().chain([("loss", terms.loss)]);
    match all.into_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some((term, value)) => {
            Err(TrainError::NotFinite { term, value, step: step + 1, saved: None })
        }
    }
}

fn mean(all: &[Terms], of: impl Fn(&Terms) -> f64) -> f64 {
    all.iter().map(of).sum::<f64>() / all.len().max(1) as f64
}

fn means(all: &[Terms]) -> Vec<(String, f64)> {
    let names = all.first().map_or(&[][..], |terms| &terms.terms);
    let value = |place: usize| mean(all, |terms| terms.terms[place].1);
    names.iter().enumerate().map(|(place, (name, _))| ((*name).to_owned(), value(place))).collect()
}
