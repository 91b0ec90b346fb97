//! The files of the router, which computes the share of the intent of each query token.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckpointError, Tensors, json, tower};

/// The directory of the router. `Router` alone is a module of Sentence Transformers.
pub(super) const DIRECTORY: &str = "2_FastLaneRouter";

/// The router of a checkpoint.
#[derive(Debug)]
pub struct RouterFiles {
    /// Its configuration.
    pub config: RouterConfig,
    /// Its weights.
    pub weights: Tensors,
}

/// The configuration of a router: `2_FastLaneRouter/config.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterConfig {
    /// The input of the router.
    pub input: RouterInput,
    /// The length of a key in its attention.
    pub attention: usize,
    /// The kind of lane.
    #[serde(default)]
    pub lane: LaneKind,
    /// The number of lanes where the lane is hard; one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<usize>,
    /// The number of learned slots that pool a document into lane views, in addition to the mean of
    /// its states; `None` if its token views are searched.
    #[serde(default)]
    pub document_lanes: Option<usize>,
    /// Whether each slot pools its own part of the document.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub document_windows: bool,
    /// The dimension of a lane view, where lanes have a separate projection.
    #[serde(default)]
    pub lane_dim: Option<usize>,
}

/// The kind of lane, the view that searches for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// The views of the tokens with the largest alpha.
    #[default]
    Hard,
    /// One view: the mean of all token views weighted by alpha.
    Soft,
}

/// The input of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouterInput {
    /// The hidden states of the encoder.
    States,
    /// The token views.
    Views,
}

impl RouterFiles {
    /// Opens the router of the checkpoint in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, CheckpointError> {
        let directory = directory.join(DIRECTORY);
        let path = directory.join("config.json");
        let config: RouterConfig = json::read(&path)?;
        let zero = match config {
            RouterConfig { attention: 0, .. } => Some("attention"),
            RouterConfig { lane_dim: Some(0), .. } => Some("lane_dim"),
            RouterConfig { lanes: Some(0), .. } => Some("lanes"),
            _ => None,
        };
        if let Some(key) = zero {
            let (found, wanted) = ("0".to_owned(), "at least 1".to_owned());
            return Err(CheckpointError::Setting { path, key, found, wanted });
        }
        Ok(Self { config, weights: tower::open_weights(&directory)? })
    }
}
