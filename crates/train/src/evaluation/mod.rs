//! Evaluates models on collections with judgements.

pub(crate) mod eval_set;
