//! Encoders: token ids in, one hidden state per token out.

pub(crate) mod bert;
