//! How the router learns to pick a lane, though picking has no gradient.
//!
//! Three estimators:
//!
//! - [`gumbel`]: the paper's. Views with less than their share are masked, noise makes each pick
//!   as likely as its share, and the gradient is that of the soft pick.
//! - mixture: the scores of all lanes are there anyway, so the expectation over picks is exact:
//!   `loss = -ln Σ_i alpha_i p_i(positive)`. It needs nothing from here but alpha.
//! - soft: one view that mixes all tokens. It needs no pick at all.

mod gumbel;

pub(crate) use gumbel::{Pick, pick, picked};
