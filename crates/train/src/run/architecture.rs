//! What is learned: systems, towers, heads and the router.

use serde::{Deserialize, Serialize};

/// The shape of what is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchitectureSettings {
    /// How queries and documents are compared.
    pub system: System,
    /// Whether queries and documents share an encoder; by the system if nothing is said.
    pub towers: Option<TowerSettings>,
    /// The length of a token view; 0 for the encoder's states themselves.
    pub dim: usize,
    /// The length of a lane view, where lanes have maps of their own; 0 if they share.
    pub lane_dim: usize,
    /// Learned views of a document that are searched in place of its tokens; 0 for its tokens.
    pub document_lanes: usize,
    /// Whether each of them looks at a part of the document of its own.
    pub document_windows: bool,
    /// The length of a key in the router and in the slots of document lanes.
    pub attention: usize,
    /// What maps from states to views start as.
    pub start: Start,
    /// Whether views have unit length.
    pub normalise: bool,
    /// The most tokens of a query.
    pub query_tokens: usize,
    /// The most tokens of a document.
    pub document_tokens: usize,
    /// Whether the tokens that the checkpoint skips, or punctuation, give views of documents.
    pub skip_punctuation: bool,
    /// In a frozen run: how many of the last layers are trained as well.
    pub tuned_layers: usize,
    /// The share of values that are dropped while learning.
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
    /// The first token of a query against all of a document; one encoder.
    StaticTied,
    /// The same with an encoder for each.
    StaticSplit,
    /// The best pair of tokens.
    MaxMax,
    /// The tokens that the router picks, against all of a document.
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
    /// Each has its own; both start alike.
    Split,
}

/// What maps from states to views start as, where the checkpoint has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The directions in which states of the training texts differ most.
    Pca,
    /// Random directions at right angles.
    Random,
    /// The first numbers of a state; all of them if views are as long as states.
    Identity,
}

impl System {
    /// The towers it has unless the run file says otherwise.
    pub fn towers(self) -> TowerSettings {
        match self {
            Self::StaticSplit => TowerSettings::Split,
            _ => TowerSettings::Tied,
        }
    }

    /// Whether a router takes part.
    pub fn routes(self) -> bool {
        matches!(self, Self::Fastlane | Self::FastlaneSoft)
    }
}

impl ArchitectureSettings {
    /// Whether queries have an encoder of their own.
    pub fn split(&self) -> bool {
        self.towers.unwrap_or(self.system.towers()) == TowerSettings::Split
    }
}

/// How the router learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterSettings {
    /// How picking is made to have a gradient.
    pub estimator: Estimator,
    /// How many lanes are picked.
    pub lanes: usize,
    /// The floor of each token's share.
    pub epsilon: f32,
    /// Whether shares below 1/m are masked.
    pub mask: bool,
    /// Whether picks are random while learning.
    pub noise: bool,
    /// Whether the pick is a real one on the way forward.
    pub straight_through: bool,
    /// How soft picks are.
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

/// How picking a lane is made to have a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Random picks whose gradient is that of soft ones: the paper.
    Gumbel,
    /// The exact expectation over all lanes.
    Mixture,
}

/// How soft picks are, from the first step to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tau {
    /// At the first step.
    pub start: f32,
    /// At the last.
    pub end: f32,
    /// In between.
    pub shape: super::Shape,
}

impl Default for Tau {
    fn default() -> Self {
        Self { start: 1.0, end: 0.1, shape: super::Shape::Exponential }
    }
}
