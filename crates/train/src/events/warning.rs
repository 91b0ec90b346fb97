//! What a run warns of.

use std::fmt;

use serde::Serialize;

/// Something that is going wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// One position of the query wins nearly always.
    CollapseToPosition {
        /// Which.
        position: u32,
        /// How often.
        share: f64,
    },
    /// One token wins nearly always.
    CollapseToToken {
        /// Its number in the vocabulary.
        token: u32,
        /// How often.
        share: f64,
    },
    /// The router's shares stay even.
    FrozenRouter {
        /// Their entropy, as a part of the highest.
        entropy: f64,
    },
    /// The loss jumps while tau falls.
    UnstableTau {
        /// At which step.
        step: u32,
        /// The loss there, and the usual one before.
        losses: [f64; 2],
    },
    /// Many documents are cut: what answers a query may lie past the cut.
    Coverage {
        /// Which part of the documents.
        share: f64,
    },
}

impl Warning {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::CollapseToPosition { .. } | Self::CollapseToToken { .. } => "collapse",
            Self::FrozenRouter { .. } => "frozen",
            Self::UnstableTau { .. } => "tau",
            Self::Coverage { .. } => "coverage",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollapseToPosition { position, share } => {
                write!(f, "router collapse: position {position} wins {:.0} %", 100.0 * share)
            }
            Self::CollapseToToken { token, share } => {
                write!(f, "router collapse: token {token} wins {:.0} %", 100.0 * share)
            }
            Self::FrozenRouter { entropy } => {
                write!(f, "frozen router: shares are {:.0} % even", 100.0 * entropy)
            }
            Self::UnstableTau { step, losses: [found, usual] } => {
                write!(
                    f,
                    "unstable tau: the loss jumped to {found:.3} from {usual:.3} at step {step}"
                )
            }
            Self::Coverage { share } => {
                write!(f, "coverage: {:.0} % of the documents are cut", 100.0 * share)
            }
        }
    }
}
