//! One tower of a checkpoint: architecture, open weights, and the projections after the encoder.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckpointError, Tensors, json};
use crate::encoders;
use crate::encoders::architecture::Architecture;
use crate::encoders::config::Config;

/// The usual file of weights.
pub(super) const WEIGHTS: &str = "model.safetensors";

/// The file of int8 weights: other loaders must not find and misread them.
pub(super) const INT8_WEIGHTS: &str = "model.int8.safetensors";

/// An encoder, checked against its weights, and the projections after it.
#[derive(Debug)]
pub struct TowerFiles {
    /// The architecture of the encoder.
    pub architecture: Architecture,
    /// Its weights.
    pub weights: Tensors,
    /// The prefix of its tensor names: empty, or one that the family has, as `bert.`.
    pub prefix: &'static str,
    /// The projections from hidden states to views, in order.
    pub dense: Vec<DenseFiles>,
}

/// A projection y = Wx + b.
#[derive(Debug)]
pub struct DenseFiles {
    /// The weights: `linear.weight` of shape `[to, from]`, and `linear.bias` if there is a bias.
    pub weights: Tensors,
    /// The length of x.
    pub from: usize,
    /// The length of y.
    pub to: usize,
    /// Whether there is a b.
    pub bias: bool,
}

impl TowerFiles {
    /// Opens the encoder in `directory`, without projections.
    pub(super) fn open(directory: &Path, config: &Config) -> Result<Self, CheckpointError> {
        let architecture = encoders::read(config)?;
        let weights = open_weights(directory)?;
        let prefix = prefix(&weights, &architecture)?;
        let tower = Self { architecture, weights, prefix, dense: Vec::new() };
        tower.check(config.path())?;
        Ok(tower)
    }

    /// Opens an encoder in a directory without other modules.
    #[cfg(test)]
    pub(crate) fn bare(directory: &Path) -> Result<Self, CheckpointError> {
        Self::open(directory, &Config::read(&directory.join("config.json"))?)
    }

    /// Reads a tensor by its name without [`prefix`](Self::prefix).
    ///
    /// # Errors
    ///
    /// As [`Tensors::read`].
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        self.weights.read(&format!("{}{name}", self.prefix), shape)
    }

    /// The length of a view.
    pub fn dim(&self) -> usize {
        self.dense.last().map_or(self.architecture.hidden, |dense| dense.to)
    }

    /// Adds a projection, whose input must match the previous output.
    pub(super) fn push(&mut self, dense: DenseFiles) -> Result<(), CheckpointError> {
        let (found, wanted) = ([dense.to, dense.from], [dense.to, self.dim()]);
        if found != wanted {
            return Err(dense.weights.wrong_shape("linear.weight", &found, &wanted));
        }
        self.dense.push(dense);
        Ok(())
    }

    /// Checks the header of the weights against the configuration.
    fn check(&self, config: &Path) -> Result<(), CheckpointError> {
        for wanted in self.architecture.expected_tensors() {
            let name = format!("{}{}", self.prefix, wanted.name);
            let found = self.weights.shape(&name).ok_or_else(|| self.weights.missing(&name))?;
            let differs = |(has, says): (&usize, &(usize, _))| *has != says.0;
            let place = found.iter().zip(&wanted.lengths).position(differs);
            if found.len() != wanted.lengths.len() {
                return Err(self.weights.wrong_shape(&name, found, &wanted.shape()));
            }
            if let Some(place) = place {
                let (says, key) = wanted.lengths[place];
                return Err(self.contradiction(config, (key, says), name, found[place]));
            }
        }
        self.no_more_layers(config)
    }

    fn no_more_layers(&self, config: &Path) -> Result<(), CheckpointError> {
        let layers = self.architecture.layers;
        let beyond = format!("{}{}", self.prefix, self.architecture.family.layer(layers));
        match self.weights.names().into_iter().filter(|name| name.starts_with(&beyond)).min() {
            None => Ok(()),
            Some(tensor) => Err(CheckpointError::MoreLayers {
                config: config.to_owned(),
                key: self.architecture.family.definition().layers_key(),
                layers,
                weights: self.weights.path().to_owned(),
                tensor,
            }),
        }
    }

    fn contradiction(
        &self,
        config: &Path,
        (key, says): (&'static str, usize),
        tensor: String,
        has: usize,
    ) -> CheckpointError {
        let (config, weights) = (config.to_owned(), self.weights.path().to_owned());
        CheckpointError::Contradiction { config, key, says, weights, tensor, has }
    }
}

/// Opens the weights in `directory`; int8 weights if there are no others.
pub(super) fn open_weights(directory: &Path) -> Result<Tensors, CheckpointError> {
    const PICKLE: &str = "pytorch_model.bin";
    let path = directory.join(WEIGHTS);
    match Tensors::open(&path) {
        Err(CheckpointError::Missing { .. }) if directory.join(INT8_WEIGHTS).exists() => {
            Tensors::open(&directory.join(INT8_WEIGHTS))
        }
        Err(CheckpointError::Missing { .. }) if directory.join(PICKLE).exists() => {
            Err(CheckpointError::Pickle { path, found: PICKLE })
        }
        other => other,
    }
}

/// Finds the prefix of the tensor names, by the first tensor.
fn prefix(weights: &Tensors, architecture: &Architecture) -> Result<&'static str, CheckpointError> {
    let tensors = architecture.expected_tensors();
    let Some(first) = tensors.first() else { return Ok("") };
    ["", architecture.family.definition().prefix()]
        .into_iter()
        .find(|prefix| weights.contains(&format!("{prefix}{}", first.name)))
        .ok_or_else(|| weights.missing(&first.name))
}

/// `config.json` of a Dense module.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DenseConfig {
    pub(super) in_features: usize,
    pub(super) out_features: usize,
    #[serde(default = "yes")]
    pub(super) bias: bool,
    #[serde(default)]
    pub(super) activation_function: Option<String>,
    #[serde(default)]
    pub(super) use_residual: bool,
}

fn yes() -> bool {
    true
}

impl DenseFiles {
    /// Opens the module in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, CheckpointError> {
        let path = directory.join("config.json");
        let config: DenseConfig = json::read(&path)?;
        let refuse = |key, found, wanted: &str| {
            let wanted = wanted.to_owned();
            Err(CheckpointError::Setting { path: path.clone(), key, found, wanted })
        };
        match config.activation_function.as_deref() {
            Some(name) if name.rsplit('.').next() == Some("Identity") => {}
            Some(name) => {
                return refuse("activation_function", format!("`{name}`"), "Identity");
            }
            None => return refuse("activation_function", "absent".to_owned(), "Identity"),
        }
        if config.use_residual {
            return refuse("use_residual", "true".to_owned(), "false");
        }
        Self::checked(open_weights(directory)?, &config)
    }

    fn checked(weights: Tensors, config: &DenseConfig) -> Result<Self, CheckpointError> {
        let (from, to, bias) = (config.in_features, config.out_features, config.bias);
        let weight = ("linear.weight", vec![to, from]);
        let bias_vector = bias.then(|| ("linear.bias", vec![to]));
        for (name, wanted) in std::iter::once(weight).chain(bias_vector) {
            let found = weights.shape(name).ok_or_else(|| weights.missing(name))?;
            if found != wanted {
                return Err(weights.wrong_shape(name, found, &wanted));
            }
        }
        Ok(Self { weights, from, to, bias })
    }

    /// The projection that a Stanford checkpoint stores among the weights of its encoder.
    pub(super) fn within(weights: Tensors, hidden: usize) -> Result<Self, CheckpointError> {
        const NAME: &str = "linear.weight";
        let shape = weights.shape(NAME).ok_or_else(|| weights.missing(NAME))?;
        match *shape {
            [to, from] if to > 0 && from == hidden => Ok(Self { weights, from, to, bias: false }),
            _ => Err(weights.wrong_shape(
                NAME,
                shape,
                &[shape.first().copied().unwrap_or(1), hidden],
            )),
        }
    }
}
