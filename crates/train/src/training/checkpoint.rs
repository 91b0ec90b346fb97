//! Saves and restores the state of a run, whole or not at all.
//!
//! A directory `step-00000200` has the weights, the optimiser state, and `state.json`. It is
//! written under a temporary name, synced, and renamed last; then older ones are removed. Random
//! numbers follow from the seed and the step, and the next pairs from the number of batches, so two
//! numbers are enough for these.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn_tensor::backend::Backend;
use fastlane_durable::{AsideDirectory, make_directory};
use fastlane_model::checkpoint::{NamedTensor, Tensors, WeightType, write_tensors};
use serde::{Deserialize, Serialize};

use crate::architecture::{Parameter, Weights, table, values};
use crate::error::TrainError;
use crate::storage::put;
use crate::training::optimiser::Optimiser;
use crate::training::provenance::Provenance;

/// The format that is written. In format 2, the oldest supported one, the fingerprint of the model
/// has 16 digits.
const FORMAT: u32 = 3;
const OLDEST: u32 = 2;

/// The folder of a run's checkpoints in its directory.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) format: u32,
    /// The number of steps made.
    pub(crate) step: u32,
    /// The best evaluation so far: its step and value.
    pub(crate) best: Option<(u32, f64)>,
    /// The number of evaluations since then.
    pub(crate) waited: usize,
    /// The run file with all defaults written out.
    pub(crate) run: String,
    /// The hashes of the training data.
    pub(crate) origins: Provenance,
    /// The reported warnings by name, with the step.
    #[serde(rename = "told")]
    pub(crate) reported: BTreeMap<String, u32>,
    /// The version of this program.
    pub(crate) version: String,
}

/// The directories of a run's checkpoints.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    directory: PathBuf,
}

impl Checkpoints {
    pub(crate) fn of(output: &Path) -> Self {
        Self { directory: output.join(CHECKPOINTS) }
    }

    /// The last complete one.
    pub(crate) fn last(&self) -> Option<PathBuf> {
        self.all().pop()
    }

    fn all(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let mut all: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("step-"))
            })
            .collect();
        all.sort();
        all
    }

    /// Creates the directory for them, which also marks a directory as that of a run.
    pub(crate) fn make(&self) -> Result<(), TrainError> {
        let failed = |source| TrainError::Write { path: self.directory.clone(), source };
        make_directory(&self.directory).map_err(failed)
    }

    /// Saves a run, then removes earlier checkpoints.
    ///
    /// A step that is saved already is left as it is. Steps are deterministic, so it would be the
    /// same, and replacing it would leave a moment without either.
    pub(crate) fn save<B: Backend>(
        &self,
        state: &State,
        weights: &Weights<B>,
        optimiser: &Optimiser<B>,
    ) -> Result<(), TrainError> {
        let before = self.all();
        let path = self.directory.join(format!("step-{:08}", state.step));
        if path.exists() {
            return Ok(());
        }
        let failed = |source| TrainError::Write { path: path.clone(), source };
        self.make()?;
        self.remove_drafts().map_err(failed)?;
        let aside = AsideDirectory::new(&path).map_err(failed)?;
        let parts = [
            ("weights", &weights.tables),
            ("means", &optimiser.means),
            ("squares", &optimiser.squares),
        ];
        for (name, tables) in parts {
            save_tables(&aside.path().join(format!("{name}.safetensors")), weights, tables)?;
        }
        let json = serde_json::to_vec_pretty(state).map_err(|error| failed(error.into()))?;
        put(&aside.path().join("state.json"), &json)?;
        aside.finish().map_err(failed)?;
        for old in &before {
            fs::remove_dir_all(old).map_err(failed)?;
        }
        Ok(())
    }

    /// Removes what a crash left; the lock of the run excludes other processes.
    fn remove_drafts(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // `aside` is the name that earlier programs used
            if name == "aside" || (name.starts_with(".step-") && name.ends_with(".partial")) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

fn save_tables<B: Backend>(
    path: &Path,
    weights: &Weights<B>,
    tables: &[burn_tensor::Tensor<B, 2>],
) -> Result<(), TrainError> {
    let numbers: Vec<Vec<f32>> = tables.iter().map(values).collect();
    let names = weights.index.names.iter().zip(&weights.index.shapes).zip(&numbers);
    let tensors: Vec<NamedTensor<'_>> = names
        .map(|((name, shape), values)| NamedTensor {
            name: name.clone(),
            shape: shape.clone(),
            values,
        })
        .collect();
    Ok(write_tensors(path, &tensors, WeightType::F32)?)
}

/// Reads the progress of a run, the format first.
pub(crate) fn read_state(path: &Path) -> Result<State, TrainError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let path = path.join("state.json");
    let broken = |what: String| TrainError::Resume { path: path.clone(), what };
    let bytes = fs::read(&path).map_err(|error| broken(error.to_string()))?;
    let version: Version =
        serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    match version.format {
        OLDEST..=FORMAT => {
            serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))
        }
        found => Err(TrainError::Format { path, found, wanted: OLDEST..=FORMAT }),
    }
}

/// Restores the weights and the optimiser state.
pub(crate) fn restore<B: Backend>(
    path: &Path,
    state: &State,
    weights: &mut Weights<B>,
    optimiser: &mut Optimiser<B>,
) -> Result<(), TrainError> {
    let device = weights.tables[0].device();
    let read = |name: &str| -> Result<Vec<burn_tensor::Tensor<B, 2>>, TrainError> {
        let tensors = Tensors::open(&path.join(format!("{name}.safetensors")))?;
        let all = weights.index.names.iter().zip(&weights.index.shapes);
        all.map(|(name, shape)| Ok(table(shape, tensors.read(name, shape)?, &device))).collect()
    };
    let (tables, means, squares) = (read("weights")?, read("means")?, read("squares")?);
    weights.tables = tables;
    (optimiser.means, optimiser.squares, optimiser.steps) = (means, squares, state.step);
    Ok(())
}

/// Saves the parameters of the best model, whole or not at all.
pub(crate) fn save_best(output: &Path, parameters: &[Parameter]) -> Result<(), TrainError> {
    let tensors: Vec<NamedTensor<'_>> = parameters
        .iter()
        .map(|it| NamedTensor {
            name: it.name.clone(),
            shape: it.shape.clone(),
            values: &it.values,
        })
        .collect();
    Ok(write_tensors(&output.join("best.safetensors"), &tensors, WeightType::F32)?)
}

/// Reads the parameters of the best model.
pub(crate) fn read_best(output: &Path, like: &[Parameter]) -> Result<Vec<Parameter>, TrainError> {
    let tensors = Tensors::open(&output.join("best.safetensors"))?;
    let read = |it: &Parameter| {
        let values = tensors.read(&it.name, &it.shape)?;
        Ok(Parameter { name: it.name.clone(), shape: it.shape.clone(), values })
    };
    like.iter().map(read).collect()
}

impl State {
    /// Continues from a saved state, perhaps of an earlier format, with the current hashes.
    pub(crate) fn renewed(self, origins: Provenance) -> Self {
        Self { format: FORMAT, origins, ..self }
    }

    /// A run before its first step.
    pub(crate) fn new(run: String, origins: Provenance) -> Self {
        let (reported, version) = (BTreeMap::new(), env!("CARGO_PKG_VERSION").to_owned());
        Self { format: FORMAT, step: 0, best: None, waited: 0, run, origins, reported, version }
    }
}
