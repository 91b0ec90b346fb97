//! Writes the trained parameters as a checkpoint that `fastlane-model`, PyLate and Sentence
//! Transformers read.

use std::path::Path;

use fastlane_model::Architecture;
use fastlane_model::checkpoint::{
    Blueprint, Checkpoint, CheckpointError, LaneKind, NamedTensor, RouterConfig, RouterInput,
    TowerFiles, TowerParts, WeightType, write,
};

use super::weights::Parameter;
use crate::run::{ArchitectureSettings, System};

/// The data of a checkpoint besides the parameters.
pub(crate) struct Export<'a> {
    /// The checkpoint that training started from.
    pub(crate) checkpoint: &'a Checkpoint,
    /// The content of its `tokenizer.json`.
    pub(crate) tokenizer: &'a [u8],
    pub(crate) settings: &'a ArchitectureSettings,
    /// The number of lanes that the router picks.
    pub(crate) lanes: usize,
    /// The spellings of the tokens that give no views of documents.
    pub(crate) skip: Vec<String>,
}

/// Writes a checkpoint into a new directory.
pub(crate) fn export(
    directory: &Path,
    export: &Export<'_>,
    parameters: &[Parameter],
) -> Result<(), CheckpointError> {
    let document = export.tower("document.", parameters)?;
    let query = match export.settings.split() {
        true => Some(export.tower("query.", parameters)?),
        false => None,
    };
    let router = export.router(parameters, export.checkpoint.query.architecture.hidden);
    let mut settings = export.checkpoint.text_settings();
    settings.query_length = export.settings.query_tokens;
    settings.document_length = export.settings.document_tokens;
    settings.normalise = export.settings.normalise;
    settings.skip.clone_from(&export.skip);
    let blueprint = Blueprint {
        document: document.parts(),
        query: query.as_ref().map(Tower::parts),
        tokenizer: export.tokenizer,
        settings,
        router: router.as_ref().map(|(config, weights)| {
            (config.clone(), weights.iter().map(|it| named(it, "router.")).collect())
        }),
        weight_type: WeightType::F32,
    };
    write(directory, &blueprint)
}

/// The tensors of a tower.
struct Tower {
    architecture: Architecture,
    weights: Vec<Parameter>,
    dense: Vec<Parameter>,
}

impl Tower {
    fn parts(&self) -> TowerParts<'_> {
        TowerParts {
            architecture: &self.architecture,
            weights: self.weights.iter().map(|it| named(it, "")).collect(),
            dense: self.dense.iter().map(|it| named(it, "")).collect(),
        }
    }
}

fn named<'a>(parameter: &'a Parameter, prefix: &str) -> NamedTensor<'a> {
    let name = parameter.name.strip_prefix(prefix).unwrap_or(&parameter.name);
    NamedTensor { name: name.to_owned(), shape: parameter.shape.clone(), values: &parameter.values }
}

impl Export<'_> {
    /// The trained parameters of a tower, and the initial values of the others.
    fn tower(&self, prefix: &str, parameters: &[Parameter]) -> Result<Tower, CheckpointError> {
        let files = self.files(prefix);
        let of =
            |name: &str| parameters.iter().find(|it| it.name.strip_prefix(prefix) == Some(name));
        let mut weights = Vec::new();
        for (name, shape) in files.architecture.tensors() {
            let values = match of(&name) {
                Some(learned) => learned.values.clone(),
                None => files.read(&name, &shape)?,
            };
            weights.push(Parameter { name, shape, values });
        }
        let number = |number: usize| {
            let weight = of(&format!("dense.{number}.linear.weight"))?;
            let bias = of(&format!("dense.{number}.linear.bias"));
            Some(std::iter::once(weight).chain(bias))
        };
        let dense = (0..).map_while(number).flatten().cloned().collect();
        Ok(Tower { architecture: files.architecture.clone(), weights, dense })
    }

    fn files(&self, prefix: &str) -> &TowerFiles {
        match &self.checkpoint.document {
            Some(document) if prefix == "document." => document,
            _ => &self.checkpoint.query,
        }
    }

    /// The router; one with constant output where only its settings are needed.
    fn router(
        &self,
        parameters: &[Parameter],
        hidden: usize,
    ) -> Option<(RouterConfig, Vec<Parameter>)> {
        let it = self.settings;
        let dual = it.system == System::Dual;
        // without a router all tokens would search
        let first = matches!(it.system, System::StaticTied | System::StaticSplit);
        let needed =
            it.system.routes() || dual || first || it.document_lanes > 0 || it.lane_dim > 0;
        let config = needed.then(|| RouterConfig {
            input: RouterInput::States,
            attention: it.attention,
            lane: match it.system {
                System::FastlaneSoft | System::Dual => LaneKind::Soft,
                _ => LaneKind::Hard,
            },
            lanes: (it.system == System::Fastlane && self.lanes > 1).then_some(self.lanes),
            document_lanes: (dual || it.document_lanes > 0).then_some(it.document_lanes),
            document_windows: it.document_lanes > 0 && it.document_windows,
            lane_dim: (it.lane_dim > 0).then_some(it.lane_dim),
        })?;
        let learned = parameters.iter().filter(|parameter| parameter.name.starts_with("router."));
        let mut weights: Vec<Parameter> = learned.cloned().collect();
        if !it.system.routes() {
            weights.extend(even_router(it.attention, hidden));
        }
        Some((config, weights))
    }
}

/// A router that gives every token the same share: a hard lane is the first token, a soft lane the
/// mean.
fn even_router(width: usize, hidden: usize) -> Vec<Parameter> {
    let parts = ["query", "key", "value"].into_iter().flat_map(|part| {
        let name = |end: &str| format!("router.attention.{part}.{end}");
        [(name("weight"), vec![width, hidden]), (name("bias"), vec![width])]
    });
    let dense = [("weight", vec![1, width + hidden]), ("bias", vec![1])];
    let dense = dense.map(|(end, shape)| (format!("router.dense.{end}"), shape));
    let zeros = |(name, shape): (String, Vec<usize>)| {
        let values = vec![0.0; shape.iter().product()];
        Parameter { name, shape, values }
    };
    parts.chain(dense).map(zeros).collect()
}
