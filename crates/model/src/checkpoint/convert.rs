//! Converts a checkpoint of any layout to FastLane's layout, with another weight type.

use std::path::Path;

use super::router::RouterConfig;
use super::{
    Blueprint, Checkpoint, CheckpointError, NamedTensor, Tensors, TowerFiles, TowerParts,
    WeightType, read_bytes, write,
};

/// A tensor in memory.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// The tensors of an encoder, and of the projections after it.
type Tower = (Vec<Tensor>, Vec<Tensor>);

impl Checkpoint {
    /// Writes the same model into a new directory, in FastLane's layout.
    ///
    /// # Errors
    ///
    /// A weight cannot be read or does not fit the type, or an I/O call fails.
    pub fn convert(
        &self,
        directory: &Path,
        weight_type: WeightType,
    ) -> Result<(), CheckpointError> {
        let query = tower(&self.query)?;
        let document = self.document.as_ref().map(tower).transpose()?;
        let router = self.router.as_ref().map(|router| {
            let tensors = all(&router.weights)?;
            Ok::<_, CheckpointError>((router.config.clone(), tensors))
        });
        let router: Option<(RouterConfig, Vec<Tensor>)> = router.transpose()?;
        let first = self.document.as_ref().unwrap_or(&self.query);
        let blueprint = Blueprint {
            document: parts(first, document.as_ref().unwrap_or(&query)),
            query: document.is_some().then(|| parts(&self.query, &query)),
            tokenizer: &read_bytes(self.tokeniser.path())?,
            settings: self.text_settings(),
            router: router.as_ref().map(|(config, tensors)| (config.clone(), named(tensors))),
            weight_type,
        };
        write(directory, &blueprint)
    }
}

fn tower(files: &TowerFiles) -> Result<Tower, CheckpointError> {
    let mut weights = Vec::new();
    for (name, shape) in files.architecture.tensors() {
        let values = files.read(&name, &shape)?;
        weights.push(Tensor { name, shape, values });
    }
    let mut dense = Vec::new();
    for it in &files.dense {
        let shapes = [("linear.weight", vec![it.to, it.from]), ("linear.bias", vec![it.to])];
        for (name, shape) in shapes.into_iter().take(1 + usize::from(it.bias)) {
            let values = it.weights.read(name, &shape)?;
            dense.push(Tensor { name: name.to_owned(), shape, values });
        }
    }
    Ok((weights, dense))
}

/// All tensors of a file.
fn all(tensors: &Tensors) -> Result<Vec<Tensor>, CheckpointError> {
    let mut names = tensors.names();
    names.sort_unstable();
    let read = |name: String| {
        let shape = tensors.shape(&name).unwrap_or_default().to_vec();
        Ok(Tensor { values: tensors.read(&name, &shape)?, name, shape })
    };
    names.into_iter().map(read).collect()
}

fn parts<'a>(files: &'a TowerFiles, (weights, dense): &'a Tower) -> TowerParts<'a> {
    TowerParts { architecture: &files.architecture, weights: named(weights), dense: named(dense) }
}

fn named<'a>(tensors: &'a [Tensor]) -> Vec<NamedTensor<'a>> {
    let named = |it: &'a Tensor| {
        let Tensor { name, shape, values } = it;
        NamedTensor { name: name.clone(), shape: shape.clone(), values }
    };
    tensors.iter().map(named).collect()
}
