//! The initial parameters: the weights of a checkpoint, and new heads where it has none.

use fastlane_model::Architecture;
use fastlane_model::checkpoint::{
    Checkpoint, CheckpointError, RouterFiles, RouterInput, TowerFiles,
};

use super::weights::Parameter;
use crate::backend::hash;
use crate::error::TrainError;
use crate::run::{ArchitectureSettings, Run, Start};

/// The standard deviation of new parameters, as in BERT.
const SPREAD: f32 = 0.02;

/// Collects the parameters of a run.
pub(crate) struct Starting<'a> {
    pub(crate) run: &'a Run,
    pub(crate) checkpoint: &'a Checkpoint,
    /// Layers below this one are frozen.
    pub(crate) from: usize,
    /// Sampled token states, row by row, to which new maps are fitted.
    pub(crate) states: &'a [f32],
}

/// Lists the parameters of a run with their initial values.
pub(crate) fn start(starting: &Starting<'_>) -> Result<Vec<Parameter>, CheckpointError> {
    let Starting { run, checkpoint, .. } = *starting;
    let document = checkpoint.document.as_ref().unwrap_or(&checkpoint.query);
    let mut all = starting.tower("document.", document)?;
    if run.architecture.split() {
        all.extend(starting.tower("query.", &checkpoint.query)?);
    }
    let hidden = [&checkpoint.query, document].map(|files| files.architecture.hidden);
    all.extend(starting.lane_maps(hidden)?);
    all.extend(starting.router(hidden[0])?);
    all.extend(starting.slots(hidden[1])?);
    if run.loss.learn_temperature {
        all.extend(temperatures(run));
    }
    Ok(all)
}

/// The encoders of queries and documents; the same one twice if they share it.
pub(crate) fn encoders(checkpoint: &Checkpoint) -> [Architecture; 2] {
    let document = checkpoint.document.as_ref().unwrap_or(&checkpoint.query);
    [&checkpoint.query, document].map(|files| files.architecture.clone())
}

/// Refuses encoders whose layers are not BERT's: there are no others here.
pub(crate) fn check_encoders(checkpoint: &Checkpoint) -> Result<(), TrainError> {
    let mut towers = std::iter::once(&checkpoint.query).chain(&checkpoint.document);
    match towers.find(|tower| tower.architecture.family.bert().is_none()) {
        None => Ok(()),
        Some(tower) => Err(TrainError::Layers {
            path: tower.weights.path().to_owned(),
            found: tower.architecture.family.name(),
        }),
    }
}

impl Starting<'_> {
    fn settings(&self) -> &ArchitectureSettings {
        &self.run.architecture
    }

    /// An encoder and its maps to token views.
    fn tower(&self, prefix: &str, files: &TowerFiles) -> Result<Vec<Parameter>, CheckpointError> {
        let mut all = Vec::new();
        for (name, shape) in learned(&files.architecture, self.from) {
            let values = files.read(&name, &shape)?;
            all.push(Parameter { name: format!("{prefix}{name}"), shape, values });
        }
        for (number, dense) in files.dense.iter().enumerate() {
            let name = format!("{prefix}dense.{number}.linear");
            let weight = dense.weights.read("linear.weight", &[dense.to, dense.from])?;
            let shape = vec![dense.to, dense.from];
            all.push(Parameter { name: format!("{name}.weight"), shape, values: weight });
            if dense.bias {
                let (shape, values) =
                    (vec![dense.to], dense.weights.read("linear.bias", &[dense.to])?);
                all.push(Parameter { name: format!("{name}.bias"), shape, values });
            }
        }
        let (dim, hidden) = (self.settings().dim, files.architecture.hidden);
        if files.dense.is_empty() && dim > 0 {
            let name = format!("{prefix}dense.0.linear.weight");
            all.push(self.map(name, dim, hidden));
        }
        Ok(all)
    }

    /// A new map from states to views: the same for both sides, whose states are equal at first.
    fn map(&self, name: String, dim: usize, hidden: usize) -> Parameter {
        let values = match self.settings().start {
            Start::Identity => {
                let one = |at: usize| f32::from(u8::from(at / hidden == at % hidden));
                (0..dim * hidden).map(one).collect()
            }
            Start::Random => orthonormal(self.noise("map", dim * hidden, 1.0), hidden),
            Start::Pca => self.main_directions(dim, hidden),
        };
        Parameter { name, shape: vec![dim, hidden], values }
    }

    /// The principal directions of the states: projecting on them changes products of states the
    /// least.
    ///
    /// Orthogonal iteration: multiplies with the second moments until it converges.
    fn main_directions(&self, dim: usize, hidden: usize) -> Vec<f32> {
        let mut moments = vec![0.0_f64; hidden * hidden];
        for state in self.states.chunks_exact(hidden) {
            for (row, &a) in moments.chunks_exact_mut(hidden).zip(state) {
                row.iter_mut().zip(state).for_each(|(sum, &b)| *sum += f64::from(a * b));
            }
        }
        let mut directions = orthonormal(self.noise("pca", dim * hidden, 1.0), hidden);
        for _ in 0..40 {
            let turned = directions.chunks_exact(hidden).flat_map(|direction| {
                let product = |row: &[f64]| {
                    row.iter().zip(direction).map(|(m, &d)| m * f64::from(d)).sum::<f64>() as f32
                };
                moments.chunks_exact(hidden).map(product).collect::<Vec<_>>()
            });
            directions = orthonormal(turned.collect(), hidden);
        }
        directions
    }

    /// Lane projections, where these differ from those of tokens.
    fn lane_maps(&self, hidden: [usize; 2]) -> Result<Vec<Parameter>, CheckpointError> {
        let dim = self.settings().lane_dim;
        if dim == 0 {
            return Ok(Vec::new());
        }
        let map = |(side, hidden)| {
            let name = format!("lane_{side}.weight");
            let new = || self.map(format!("router.{name}"), dim, hidden);
            self.known(&name, &[dim, hidden], new)
        };
        ["query", "document"].into_iter().zip(hidden).map(map).collect()
    }

    fn router(&self, hidden: usize) -> Result<Vec<Parameter>, CheckpointError> {
        if !self.settings().system.routes() {
            return Ok(Vec::new());
        }
        let width = self.settings().attention;
        let mut shapes = Vec::new();
        for part in ["query", "key", "value"] {
            shapes.push((format!("attention.{part}.weight"), vec![width, hidden]));
            shapes.push((format!("attention.{part}.bias"), vec![width]));
        }
        shapes.push(("dense.weight".to_owned(), vec![1, width + hidden]));
        shapes.push(("dense.bias".to_owned(), vec![1]));
        shapes.into_iter().map(|(name, shape)| self.new_or_known(&name, shape, SPREAD)).collect()
    }

    fn slots(&self, hidden: usize) -> Result<Vec<Parameter>, CheckpointError> {
        let (count, width) = (self.settings().document_lanes, self.settings().attention);
        if count == 0 {
            return Ok(Vec::new());
        }
        let slots = self.new_or_known("lanes.slots", vec![count, width], 1.0)?;
        let spread = 1.0 / (hidden as f32).sqrt();
        Ok(vec![slots, self.new_or_known("lanes.key.weight", vec![width, hidden], spread)?])
    }

    fn new_or_known(
        &self,
        name: &str,
        shape: Vec<usize>,
        spread: f32,
    ) -> Result<Parameter, CheckpointError> {
        let count = shape.iter().product();
        let biases = shape.len() == 1;
        let values = if biases { vec![0.0; count] } else { self.noise(name, count, spread) };
        let name_here = format!("router.{name}");
        self.known(name, &shape.clone(), || Parameter { name: name_here, shape, values })
    }

    /// A tensor of the checkpoint's router, if it has the right shape. A router on views is not
    /// reused: ours takes states.
    fn known(
        &self,
        name: &str,
        shape: &[usize],
        new: impl FnOnce() -> Parameter,
    ) -> Result<Parameter, CheckpointError> {
        let files = self.checkpoint.router.as_ref();
        let has = |files: &&RouterFiles| {
            files.config.input == RouterInput::States && files.weights.shape(name) == Some(shape)
        };
        match files.filter(has) {
            Some(files) => Ok(Parameter {
                name: format!("router.{name}"),
                shape: shape.to_owned(),
                values: files.weights.read(name, shape)?,
            }),
            None => Ok(new()),
        }
    }

    /// Normally distributed numbers, determined by the run's seed and a name.
    fn noise(&self, name: &str, count: usize, spread: f32) -> Vec<f32> {
        let seed = name.bytes().fold(self.run.seed, |seed, byte| hash(seed, u32::from(byte)));
        let uniform = |place| (f64::from(hash(seed, place)) + 0.5) / 4_294_967_296.0;
        let normal = |at: u32| {
            let (radius, turn) = (uniform(2 * at), uniform(2 * at + 1));
            (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
        };
        (0..count as u32).map(|at| normal(at) as f32 * spread).collect()
    }
}

/// The logarithms of the temperatures, where these are trained.
fn temperatures(run: &Run) -> [Parameter; 2] {
    let both = [("lane", run.lane_temperature()), ("sum_max", run.loss.sum_max_temperature)];
    both.map(|(name, temperature)| {
        let (shape, values) = (vec![1], vec![temperature.ln()]);
        Parameter { name: format!("temperature.{name}"), shape, values }
    })
}

/// The trained tensors of an encoder whose layers below `from` are frozen.
fn learned(architecture: &Architecture, from: usize) -> Vec<(String, Vec<usize>)> {
    let fixed: Vec<String> = (0..from).map(|layer| architecture.family.layer(layer)).collect();
    let learns = |name: &str| {
        from == 0
            || !(name.starts_with("embeddings.") || fixed.iter().any(|it| name.starts_with(it)))
    };
    architecture.tensors().into_iter().filter(|(name, _)| learns(name)).collect()
}

/// Orthonormalises rows (Gram-Schmidt).
fn orthonormal(mut rows: Vec<f32>, length: usize) -> Vec<f32> {
    let count = rows.len() / length;
    for row in 0..count {
        let (before, rest) = rows.split_at_mut(row * length);
        let this = &mut rest[..length];
        // twice: the second pass removes what rounding left
        for other in before.chunks_exact(length).chain(before.chunks_exact(length)) {
            let along: f32 = this.iter().zip(other).map(|(a, b)| a * b).sum();
            this.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let long = this.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-20);
        this.iter_mut().for_each(|value| *value /= long);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_at_right_angles_by_hand() {
        let rows = orthonormal(vec![3.0, 4.0, 1.0, 0.0], 2);
        let wanted = [0.6, 0.8, 0.8, -0.6];
        assert!(rows.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{rows:?}");
    }
}
