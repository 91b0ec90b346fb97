//! Encoders: token ids in, one hidden state per token out.
//!
//! An architecture is a file or a directory here, and a line in [`KNOWN`]. It has
//!
//! - an [`Entry`]: how `config.json` names it, and how its settings are read and checked, with
//!   the help of [`Config`];
//! - a [`Definition`]: the names and shapes of its tensors, its settings in the fingerprint, and
//!   how `config.json` is written;
//! - a [`Transformer`]: its packed weights, and the forward pass.
//!
//! One that has BERT's layers under other names is a [`BertFamily`], and needs only an [`Entry`]:
//! see `distilbert.rs`.
//!
//! [`BertFamily`]: bert::BertFamily
//! [`Definition`]: architecture::Definition
//! [`Transformer`]: architecture::Transformer

pub(crate) mod architecture;
pub(crate) mod bert;
pub(crate) mod config;
mod distilbert;
pub(crate) mod expected_tensors;
mod roberta;
#[cfg(test)]
mod tests;

use self::architecture::Architecture;
use self::config::Config;
use crate::error::CheckpointError;

/// The architectures that can be read.
const KNOWN: &[Entry] =
    &[bert::BERT, distilbert::DISTILBERT, roberta::ROBERTA, roberta::XLM_ROBERTA];

/// How an architecture is recognised and read.
struct Entry {
    /// `model_type` in `config.json`.
    name: &'static str,
    /// Python classes by which old files without `model_type` name it.
    classes: &'static [&'static str],
    /// Reads and checks its settings.
    read: fn(&Config) -> Result<Architecture, CheckpointError>,
}

/// Reads the architecture in `config.json`.
///
/// # Errors
///
/// The architecture or the value of a setting is unsupported.
pub(crate) fn read(config: &Config) -> Result<Architecture, CheckpointError> {
    let entry = KNOWN.iter().find(|entry| match config.model_type() {
        Some(name) => entry.name == name,
        None => config.class().is_some_and(|class| entry.classes.contains(&class)),
    });
    match entry {
        Some(entry) => (entry.read)(config),
        None => Err(CheckpointError::Architecture {
            path: config.path().to_owned(),
            found: config.model_type().or(config.class()).unwrap_or("unnamed").to_owned(),
            wanted: known(),
        }),
    }
}

/// The names of all architectures: `a, b or c`.
fn known() -> String {
    let names: Vec<&str> = KNOWN.iter().map(|entry| entry.name).collect();
    match names.split_last() {
        Some((last, [first, others @ ..])) => {
            let others: String = others.iter().map(|name| format!(", {name}")).collect();
            format!("{first}{others} or {last}")
        }
        _ => names.concat(),
    }
}
