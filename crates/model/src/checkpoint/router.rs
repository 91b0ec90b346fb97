//! The files of the router: which token carries the intent of a query.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckpointError, Tensors, json, tower};

/// The directory of the router. `Router` alone is a module of Sentence Transformers.
pub(super) const DIRECTORY: &str = "2_FastLaneRouter";

/// The router of a checkpoint.
#[derive(Debug)]
pub struct RouterFiles {
    /// Its shape.
    pub config: RouterConfig,
    /// Its weights.
    pub weights: Tensors,
}

/// The shape of a router: `2_FastLaneRouter/config.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterConfig {
    /// What the router looks at.
    pub input: RouterInput,
    /// The length of a key in its attention.
    pub attention: usize,
    /// Which view a query is searched by.
    #[serde(default)]
    pub lane: LaneKind,
    /// By how many tokens a query is searched where the lane is hard; one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<usize>,
    /// How many learned slots pool a document into the views that are searched, with the mean of
    /// its states as one more; none if its token views are searched.
    #[serde(default)]
    pub document_lanes: Option<usize>,
    /// Whether each slot looks at a part of the document of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub document_windows: bool,
    /// The length of a lane view, where lanes have projections of their own.
    #[serde(default)]
    pub lane_dim: Option<usize>,
}

/// Which view a query is searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// The views of the tokens that the router picks.
    #[default]
    Hard,
    /// One view that mixes all tokens by the router's shares.
    Soft,
}

/// What a router looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouterInput {
    /// The states of the encoder.
    States,
    /// The views.
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
