//! How good a model is, measured on collections with judgements.

pub(crate) mod eval_set;
