//! `modules.json`: the sequence of modules that Sentence Transformers and PyLate run.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CheckpointError, json};

/// The directories of the relevant modules.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// Whether there is a sequence.
    pub(super) any: bool,
    pub(super) encoder: Option<PathBuf>,
    pub(super) dense: Vec<PathBuf>,
    pub(super) masks: Vec<PathBuf>,
    /// Modules that normalise, either tokens or the text.
    pub(super) normalise: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Modules {
    /// Reads the sequence of modules in `directory`, if it has one.
    pub(super) fn read(directory: &Path) -> Result<Self, CheckpointError> {
        let file = directory.join("modules.json");
        let chain: Vec<Module> = json::read_or_default(&file)?;
        let mut modules = Self { any: !chain.is_empty(), ..Self::default() };
        for module in chain {
            let path = directory.join(inside(&file, &module.path)?);
            match module.class.rsplit('.').next().unwrap_or_default() {
                "Transformer" if modules.encoder.is_none() => modules.encoder = Some(path),
                "Dense" => modules.dense.push(path),
                "MultiVectorMask" => modules.masks.push(path),
                "Normalize" => modules.normalise.push(path),
                // views are made of all tokens, so pooling into one vector is skipped
                "Pooling" => {}
                _ => return Err(refuse(&file, "type", &module.class, WANTED)),
            }
        }
        Ok(modules)
    }
}

const WANTED: &str = "one Transformer, Dense, MultiVectorMask, Normalize or Pooling";

/// Refuses a path that leads out of the checkpoint.
fn inside<'a>(file: &Path, path: &'a str) -> Result<&'a str, CheckpointError> {
    use std::path::Component;
    let within = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    match Path::new(path).components().all(within) {
        true => Ok(path),
        false => Err(refuse(file, "path", path, "a directory inside the checkpoint")),
    }
}

fn refuse(file: &Path, key: &'static str, found: &str, wanted: &str) -> CheckpointError {
    let (path, found, wanted) = (file.to_owned(), format!("`{found}`"), wanted.to_owned());
    CheckpointError::Setting { path, key, found, wanted }
}
