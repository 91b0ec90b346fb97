//! Estimators with which the router learns to pick a lane, although picking has no gradient.
//!
//! There are three:
//!
//! - [`gumbel`]: the paper's. Views with less than an equal share are masked, noise makes each
//!   pick as likely as its share, and the gradient is that of the soft pick.
//! - mixture: the scores of all lanes are computed anyway, so the expectation over picks is
//!   exact: `loss = -ln Σ_i alpha_i p_i(positive)`. It needs only alpha.
//! - soft: one view that mixes all tokens. It needs no pick.

mod gumbel;

pub(crate) use gumbel::{Pick, pick, picked};
