//! `config.json` in the format of `transformers`: the name of an architecture, and its settings.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::architecture::Activation;
use crate::error::CheckpointError;
use crate::json;

/// An open `config.json`. Each architecture parses and checks its own settings.
#[derive(Debug)]
pub(crate) struct Config {
    path: PathBuf,
    bytes: Vec<u8>,
    names: Names,
}

/// The settings that name the architecture.
#[derive(Debug, Deserialize)]
struct Names {
    architectures: Option<Vec<String>>,
    model_type: Option<String>,
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = json::read_bytes(path)?;
        let names = json::parse(path, &bytes)?;
        Ok(Self { path: path.to_owned(), bytes, names })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// `model_type`, which old files do not have.
    pub(super) fn model_type(&self) -> Option<&str> {
        self.names.model_type.as_deref()
    }

    /// The Python class that wrote the weights.
    pub(super) fn class(&self) -> Option<&str> {
        self.names.architectures.as_ref()?.first().map(String::as_str)
    }

    /// Whether a Python class is among those that can load the weights.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.names.architectures.iter().flatten().any(|name| name == class)
    }

    /// The settings of an architecture.
    pub(super) fn settings<T: DeserializeOwned>(&self) -> Result<T, CheckpointError> {
        json::parse(&self.path, &self.bytes)
    }

    /// Checks that a number is there and not 0.
    pub(super) fn size(
        &self,
        key: &'static str,
        value: Option<usize>,
    ) -> Result<usize, CheckpointError> {
        match value {
            Some(value @ 1..) => Ok(value),
            Some(0) => Err(self.refuse(key, "0", "at least 1")),
            None => Err(self.refuse(key, "absent", "a number")),
        }
    }

    /// Checks the number that is added to a variance.
    pub(super) fn epsilon(&self, key: &'static str, value: f64) -> Result<f32, CheckpointError> {
        if value > 0.0 && value < 1.0 {
            return Ok(value as f32);
        }
        Err(self.refuse(key, &value.to_string(), "a number between 0 and 1"))
    }

    pub(super) fn activation(
        &self,
        key: &'static str,
        name: &str,
    ) -> Result<Activation, CheckpointError> {
        match name {
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            other => {
                let wanted = "gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or relu";
                Err(self.refuse(key, &format!("`{other}`"), wanted))
            }
        }
    }

    /// Checks that each head has an equal part of a hidden state; a setting is its key and value.
    pub(super) fn heads(
        &self,
        (heads_key, heads): (&'static str, usize),
        (hidden_key, hidden): (&'static str, usize),
    ) -> Result<(), CheckpointError> {
        if hidden.is_multiple_of(heads) {
            return Ok(());
        }
        let wanted = format!("a divisor of `{hidden_key}` {hidden}");
        Err(self.refuse(heads_key, &heads.to_string(), &wanted))
    }

    /// The error that a setting has an unsupported value.
    pub(super) fn refuse(&self, key: &'static str, found: &str, wanted: &str) -> CheckpointError {
        CheckpointError::Setting {
            path: self.path.clone(),
            key,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        }
    }
}

/// The shortest decimal number that reads back as the same `f32`: 1e-12, not 9.99999996e-13.
pub(super) fn written(epsilon: f32) -> f64 {
    epsilon.to_string().parse().expect("a number reads back")
}
