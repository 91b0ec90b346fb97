//! AdamW over all parameters, as in PyTorch, with a learning rate for each.
//!
//! Biases, norms and temperatures have no weight decay. A gradient whose total norm is too large is
//! clipped first.

use burn_tensor::Tensor;
use burn_tensor::backend::Backend;
use fastlane_model::Architecture;

use crate::architecture::Weights;
use crate::backend::{AdamStep, AdamTable, Device};
use crate::run::OptimiserSettings;

/// The learning rate and decay of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pace {
    /// The peak learning rate.
    rate: f32,
    decay: f32,
}

/// The optimiser and its state.
#[derive(Debug, Clone)]
pub(crate) struct Optimiser<B: Backend> {
    settings: OptimiserSettings,
    paces: Vec<Pace>,
    pub(crate) means: Vec<Tensor<B, 2>>,
    pub(crate) squares: Vec<Tensor<B, 2>>,
    /// The number of steps made.
    pub(crate) steps: u32,
}

impl<B: Backend> Optimiser<B> {
    pub(crate) fn new(
        settings: &OptimiserSettings,
        weights: &Weights<B>,
        encoder: &Architecture,
    ) -> Self {
        let names = weights.index.names.iter().zip(&weights.index.shapes);
        let paces = names.map(|(name, shape)| pace(settings, encoder, name, shape)).collect();
        let zeros: Vec<_> = weights.tables.iter().map(Tensor::zeros_like).collect();
        Self { settings: settings.clone(), paces, means: zeros.clone(), squares: zeros, steps: 0 }
    }

    /// Updates the weights by their gradients; returns the total norm of these.
    ///
    /// `share` is the factor of the peak rate. Parameters without a gradient do not change.
    pub(crate) fn step<D: Device<InnerBackend = B>>(
        &mut self,
        weights: &mut Weights<B>,
        gradients: Vec<Option<Tensor<B, 2>>>,
        share: f32,
    ) -> f64 {
        let squares: f64 = gradients.iter().flatten().map(D::squares).sum();
        let length = squares.sqrt();
        let clip = f64::from(self.settings.clip);
        // as in PyTorch
        let scale = (clip / (length + 1e-6)).min(1.0) as f32;
        self.steps += 1;
        for (place, gradient) in gradients.into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let Pace { rate, decay } = self.paces[place];
            let OptimiserSettings { betas, epsilon, .. } = self.settings;
            let number = self.steps.try_into().unwrap_or(i32::MAX);
            let step = AdamStep { rate: rate * share, betas, epsilon, decay, scale, number };
            // taken out of the tables, so that they can be changed in place
            let nothing = || Tensor::zeros([1, 1], &gradient.device());
            let take = |table: &mut Tensor<B, 2>| std::mem::replace(table, nothing());
            let values = take(&mut weights.tables[place]);
            let (mean, square) = (take(&mut self.means[place]), take(&mut self.squares[place]));
            let table = D::adamw(AdamTable { values, gradient, mean, square }, step);
            weights.tables[place] = table.values;
            (self.means[place], self.squares[place]) = (table.mean, table.square);
        }
        length
    }
}

/// The learning rate and decay of a parameter, by its name.
fn pace(settings: &OptimiserSettings, encoder: &Architecture, name: &str, shape: &[usize]) -> Pace {
    let heads = settings.head_rate.unwrap_or(settings.rate);
    let routes = name.starts_with("router.attention.") || name.starts_with("router.dense.");
    let rate = if routes {
        settings.router_rate.unwrap_or(heads)
    } else if name.starts_with("router.")
        || name.contains(".dense.") && name.contains(".linear.")
        || name.starts_with("temperature")
    {
        heads
    } else {
        settings.rate * settings.layer_decay.powi(layers_above(encoder, name))
    };
    let decay = if shape.len() == 2 { settings.weight_decay } else { 0.0 };
    Pace { rate, decay }
}

/// The number of layers above that of a weight; all of them above the embeddings.
fn layers_above(encoder: &Architecture, name: &str) -> i32 {
    let of_layer = |layer: &usize| name.contains(&encoder.family.layer(*layer));
    let above = (0..encoder.layers).find(of_layer).map(|layer| encoder.layers - 1 - layer);
    above.unwrap_or(encoder.layers) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane_model::{Activation, BertFamily};

    #[test]
    fn rates_by_name() {
        let settings = OptimiserSettings {
            rate: 1.0,
            head_rate: Some(10.0),
            router_rate: Some(100.0),
            layer_decay: 0.5,
            ..OptimiserSettings::default()
        };
        let encoder = Architecture {
            family: BertFamily::BERT.into(),
            layers: 3,
            hidden: 8,
            heads: 2,
            intermediate: 16,
            vocabulary: 9,
            positions: 9,
            token_types: 2,
            epsilon: 1e-12,
            activation: Activation::Gelu,
        };
        let rate = |name| pace(&settings, &encoder, name, &[2, 2]).rate;
        assert_eq!(rate("document.encoder.layer.2.output.dense.weight"), 1.0);
        assert_eq!(rate("query.encoder.layer.0.attention.self.key.weight"), 0.25);
        assert_eq!(rate("document.embeddings.word_embeddings.weight"), 0.125);
        assert_eq!(rate("document.dense.0.linear.weight"), 10.0);
        assert_eq!(rate("router.lanes.slots"), 10.0);
        assert_eq!(rate("router.dense.weight"), 100.0);
        let decay = |shape: &[usize]| pace(&settings, &encoder, "x", shape).decay;
        assert_eq!((decay(&[2, 2]), decay(&[4])), (0.01, 0.0));
    }
}
