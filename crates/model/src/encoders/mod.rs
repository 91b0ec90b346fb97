//! Encoders: token ids in, one state for each token out.

pub(crate) mod bert;
