//! The trained network: the same computation as in `fastlane-model`, with gradients.

mod bert;
mod export;
mod heads;
mod network;
mod start;
mod weights;

pub(crate) use bert::TokenRows;
pub(crate) use export::{Export, export};
pub(crate) use heads::{mixed, nothing};
pub(crate) use network::{Encoded, Frame, Input, LaneScores, Network, Scores, Side};
pub(crate) use start::{Starting, check_encoders, encoders, start};
pub(crate) use weights::Parameter;
pub(crate) use weights::{Weights, table, values};

#[cfg(test)]
mod tests;
