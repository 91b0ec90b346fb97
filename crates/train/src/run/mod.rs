//! The run file: all settings of a training run, in one TOML file.
//!
//! The parser refuses unknown keys, and [`Run::check`] refuses invalid values and contradictory
//! settings. Both name the key, and both run before any work begins.

mod architecture;
mod check;
mod data;
mod error;
mod include;
mod learning;
mod unused;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::backend::Precision;

pub use crate::loss::{LossSettings, TeacherSettings};
pub use architecture::{
    ArchitectureSettings, Estimator, RouterSettings, Start, System, Tau, TowerSettings,
};
pub use data::{JudgedSettings, Kind, NegativeSettings, SourceSettings, ViewSettings};
pub use error::RunError;
pub use learning::{Decay, OptimiserSettings, SavingSettings, ScheduleSettings, Shape};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The initial checkpoint.
    pub model: PathBuf,
    /// Which parts are trained.
    #[serde(default)]
    pub mode: Mode,
    /// The device.
    #[serde(default)]
    pub device: DeviceSettings,
    /// The precision of matrix products.
    #[serde(default)]
    pub precision: Precision,
    /// The seed of all random choices.
    #[serde(default = "one")]
    pub seed: u32,
    /// The architecture of the network.
    #[serde(default)]
    pub architecture: ArchitectureSettings,
    /// The training of the router.
    #[serde(default)]
    pub router: RouterSettings,
    /// The sources of pairs.
    pub data: Vec<SourceSettings>,
    /// The negatives of each query.
    #[serde(default)]
    pub negatives: NegativeSettings,
    /// Views of another system, for a loss that learns from them.
    #[serde(default)]
    pub teacher_views: ViewSettings,
    /// The loss.
    #[serde(default)]
    pub loss: LossSettings,
    /// The optimiser.
    #[serde(default)]
    pub optimiser: OptimiserSettings,
    /// The number and size of steps.
    #[serde(default)]
    pub schedule: ScheduleSettings,
    /// What is saved, and when.
    #[serde(default)]
    pub saving: SavingSettings,
    /// The sets on which the model is evaluated during training.
    #[serde(default)]
    pub dev: Vec<JudgedSettings>,
    /// The sets on which the final model is evaluated, once, after all choices are made.
    #[serde(default)]
    pub test: Vec<JudgedSettings>,
}

fn one() -> u32 {
    1
}

/// Which parts are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Encoders and heads.
    #[default]
    Full,
    /// Heads only, on cached states of the encoder: minutes instead of hours.
    Frozen,
}

/// The device of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceSettings {
    /// All cores.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

impl Run {
    /// Reads a run file, and refuses invalid ones.
    ///
    /// Paths in the file are relative to the working directory, that of `include` to the file.
    /// `changes` are keys and values that are set after reading, such as `("optimiser.rate",
    /// "3e-5")`.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not TOML, a key is unknown or missing, or a value is invalid.
    pub fn open(path: &Path, changes: &[(String, String)]) -> Result<Self, RunError> {
        let (text, merged) = include::read(path)?;
        let run = match merged {
            Some(table) => Self::from_table(table, changes),
            None => Self::parse(&text, changes),
        };
        let run = run.map_err(|error| error.within(path))?;
        run.check().map_err(|error| error.within(path))?;
        Ok(run)
    }

    fn parse(text: &str, changes: &[(String, String)]) -> Result<Self, RunError> {
        // the whole file first, because its errors have line numbers
        let run: Self = toml::from_str(text).map_err(RunError::syntax)?;
        if changes.is_empty() {
            return Ok(run);
        }
        Self::from_table(toml::from_str(text).map_err(RunError::syntax)?, changes)
    }

    fn from_table(mut table: toml::Table, changes: &[(String, String)]) -> Result<Self, RunError> {
        for (key, value) in changes {
            set(&mut table, key, value)?;
        }
        table.try_into().map_err(RunError::syntax)
    }
}

/// Sets a key such as `optimiser.rate`.
fn set(table: &mut toml::Table, key: &str, value: &str) -> Result<(), RunError> {
    let bad = || RunError::Change { key: key.to_owned(), value: value.to_owned() };
    // a value that is not TOML is taken as text, so that no nested quotes are needed
    let parsed = toml::from_str::<toml::Table>(&format!("it = {value}"));
    let parsed = parsed.ok().and_then(|mut parsed| parsed.remove("it"));
    let value = parsed.unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().filter(|last| !last.is_empty()).ok_or_else(bad)?;
    let mut inner = table;
    for part in parts {
        let entry = inner.entry(part).or_insert_with(|| toml::Table::new().into());
        inner = entry.as_table_mut().ok_or_else(bad)?;
    }
    inner.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
