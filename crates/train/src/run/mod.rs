//! The run file: everything a run depends on, in one TOML file.
//!
//! Keys that do not exist are refused by the reader, values that cannot be and settings that
//! contradict each other by [`Run::check`], all before any work begins and each by its name.

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
pub use data::{JudgedSettings, Kind, NegativeSettings, SourceSettings};
pub use error::RunError;
pub use learning::{Decay, OptimiserSettings, SavingSettings, ScheduleSettings, Shape};

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The checkpoint to start from.
    pub model: PathBuf,
    /// What is trained.
    #[serde(default)]
    pub mode: Mode,
    /// Where it computes.
    #[serde(default)]
    pub device: DeviceSettings,
    /// How exactly it multiplies.
    #[serde(default)]
    pub precision: Precision,
    /// What all random choices come from.
    #[serde(default = "one")]
    pub seed: u32,
    /// What is learned.
    #[serde(default)]
    pub architecture: ArchitectureSettings,
    /// How the router learns.
    #[serde(default)]
    pub router: RouterSettings,
    /// The pairs it learns from.
    pub data: Vec<SourceSettings>,
    /// Which documents a query learns to stay away from.
    #[serde(default)]
    pub negatives: NegativeSettings,
    /// What is made small.
    #[serde(default)]
    pub loss: LossSettings,
    /// How weights move.
    #[serde(default)]
    pub optimiser: OptimiserSettings,
    /// For how long, and in what portions.
    #[serde(default)]
    pub schedule: ScheduleSettings,
    /// What is saved, and when.
    #[serde(default)]
    pub saving: SavingSettings,
    /// What the model is measured on while it learns.
    #[serde(default)]
    pub dev: Vec<JudgedSettings>,
    /// What the model that is kept is measured on, once, after everything was decided.
    #[serde(default)]
    pub test: Vec<JudgedSettings>,
}

fn one() -> u32 {
    1
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Encoders and heads.
    #[default]
    Full,
    /// Heads alone, on states of the encoder that are kept on disk: minutes instead of hours.
    Frozen,
}

/// Where a run computes.
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
    /// Reads a run file, and refuses what cannot be.
    ///
    /// Paths in the file are relative to the working directory, that of `include` to the file.
    /// `changes` are keys and values that are set after reading, such as `("optimiser.rate", "3e-5")`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, has a key that does not exist, lacks one, or a value
    /// cannot be.
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
        // the whole file first: its errors point at a line
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
    // what is no TOML is a text, so that nobody must quote for two languages
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
