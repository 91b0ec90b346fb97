//! Run file settings of the network: systems, towers, heads and the router.

use serde::{Deserialize, Serialize};

/// The architecture of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchitectureSettings {
    /// How queries and documents are compared.
    pub system: System,
    /// Whether queries and documents share an encoder; the default depends on the system.
    pub towers: Option<TowerSettings>,
    /// The dimension of a token view; 0 for the encoder's states themselves.
    pub dim: usize,
    /// The dimension of a lane view, where lanes have a separate projection; 0 if they share one.
    pub lane_dim: usize,
    /// The number of learned document lanes that are searched in place of a document's tokens; 0
    /// searches its tokens.
    pub document_lanes: usize,
    /// Whether each document lane pools its own part of the document.
    pub document_windows: bool,
    /// The length of a key in the router and in the slots of document lanes.
    pub attention: usize,
    /// The initial projection from states to views.
    pub start: Start,
    /// Whether views have unit length.
    pub normalise: bool,
    /// The most tokens of a query.
    pub query_tokens: usize,
    /// The most tokens of a document.
    pub document_tokens: usize,
    /// Whether ASCII punctuation gives no views of documents, in addition to the tokens that the
    /// checkpoint skips.
    pub skip_punctuation: bool,
    /// In a frozen run: the number of last layers that are trained as well.
    pub tuned_layers: usize,
    /// The dropout rate in training.
    pub dropout: f32,
}

impl Default for ArchitectureSettings {
    fn default() -> Self {
        Self {
            system: System::Fastlane,
            towers: None,
            dim: 128,
            lane_dim: 0,
            document_lanes: 0,
            document_windows: true,
            attention: 64,
            start: Start::Pca,
            normalise: true,
            query_tokens: 32,
            document_tokens: 180,
            skip_punctuation: false,
            tuned_layers: 0,
            dropout: 0.1,
        }
    }
}

/// The systems of the paper's table, and ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// One vector for a query, one for a document: the mean of its states.
    Dual,
    /// The first token of a query against all tokens of a document; one encoder.
    StaticTied,
    /// As static-tied, with separate encoders.
    StaticSplit,
    /// The best pair of tokens.
    MaxMax,
    /// The tokens that the router picks, against all tokens of a document.
    Fastlane,
    /// One view that mixes the query's tokens by the router's shares.
    FastlaneSoft,
    /// All tokens: late interaction.
    SumMax,
}

/// Whether queries and documents share an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TowerSettings {
    /// They share one.
    Tied,
    /// Separate encoders with the same initial weights.
    Split,
}

/// The initial projection from states to views, where the checkpoint has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The principal directions of the states of the training texts.
    Pca,
    /// Random orthogonal directions.
    Random,
    /// The first values of a state; all of them if views are as long as states.
    Identity,
}

impl System {
    /// The default towers of the system.
    pub fn towers(self) -> TowerSettings {
        match self {
            Self::StaticSplit => TowerSettings::Split,
            _ => TowerSettings::Tied,
        }
    }

    /// Whether the system has a router.
    pub fn routes(self) -> bool {
        matches!(self, Self::Fastlane | Self::FastlaneSoft)
    }
}

impl ArchitectureSettings {
    /// Whether queries have a separate encoder.
    pub fn split(&self) -> bool {
        self.towers.unwrap_or(self.system.towers()) == TowerSettings::Split
    }

    /// The number of searched views of a document, if all have the same number.
    pub(crate) fn document_views(&self) -> Option<usize> {
        match (self.system, self.document_lanes) {
            (System::Dual, _) => Some(1),
            (_, 0) => None,
            // the mean is one more
            (_, lanes) => Some(lanes + 1),
        }
    }
}

/// How the router is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterSettings {
    /// The estimator of the gradient of picking.
    pub estimator: Estimator,
    /// The number of lanes that are picked.
    pub lanes: usize,
    /// The floor of each token's share.
    pub epsilon: f32,
    /// Whether shares below 1/m are masked.
    pub mask: bool,
    /// Whether picks are random in training.
    pub noise: bool,
    /// Whether the forward pass uses a hard pick.
    pub straight_through: bool,
    /// The temperature of picks.
    pub tau: Tau,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            estimator: Estimator::Mixture,
            lanes: 1,
            epsilon: 0.05,
            mask: true,
            noise: true,
            straight_through: true,
            tau: Tau::default(),
        }
    }
}

/// The estimator of the gradient of picking a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Random picks with the gradient of soft ones: the paper's estimator.
    Gumbel,
    /// The exact expectation over all lanes.
    Mixture,
}

/// The temperature of picks, from the first step to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tau {
    /// At the first step.
    pub start: f32,
    /// At the last.
    pub end: f32,
    /// The interpolation between them.
    pub shape: super::Shape,
}

impl Default for Tau {
    fn default() -> Self {
        Self { start: 1.0, end: 0.1, shape: super::Shape::Exponential }
    }
}
