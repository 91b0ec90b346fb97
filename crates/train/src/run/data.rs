//! What is learned from, and measured on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A source of pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// How it is read.
    pub kind: Kind,
    /// A directory or a file, by its kind.
    pub path: PathBuf,
    /// For `beir`: which judgements.
    #[serde(default = "train")]
    pub split: String,
    /// For `id-triples`: the documents; for others none.
    #[serde(default)]
    pub documents: Option<PathBuf>,
    /// For `id-triples`: the queries; for others none.
    #[serde(default)]
    pub queries: Option<PathBuf>,
    /// How often batches come from it, against the other sources.
    #[serde(default = "one")]
    pub weight: f32,
    /// Use so many pairs at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

fn train() -> String {
    "train".to_owned()
}

fn one() -> f32 {
    1.0
}

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A directory with `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`.
    Beir,
    /// Lines of a query, a positive and a negative, as texts.
    Triples,
    /// Lines of a query's, a positive's and a negative's id.
    IdTriples,
    /// Lines of `{"query", "positive", "negatives"}`.
    Jsonl,
    /// Documents alone: a sentence of each searches for the rest of it.
    InverseCloze,
    /// Documents alone: the title of each searches for its text.
    Titles,
}

/// Which documents a query learns to stay away from, besides those of the other queries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NegativeSettings {
    /// How many for each query.
    pub per_query: usize,
    /// Mined from the best so many by BM25; 0 uses only those that the source brings.
    pub bm25_depth: usize,
    /// Leave out so many of the best: they are often right answers that nobody judged.
    pub bm25_skip: usize,
    /// A model, trained before, that mines as well.
    pub model: Option<PathBuf>,
    /// Mined from the best so many by the model.
    pub model_depth: usize,
    /// Leave out so many of the model's best.
    pub model_skip: usize,
}

impl NegativeSettings {
    /// Whether anything is mined.
    pub(crate) fn mined(&self) -> bool {
        self.bm25_depth > 0 || self.model_depth > 0
    }
}

/// What a model is measured on: a BEIR directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedSettings {
    /// The directory.
    pub path: PathBuf,
    /// Which judgements.
    pub split: String,
    /// Documents without judgements are added up to so many; all if nothing is said.
    #[serde(default)]
    pub documents: Option<usize>,
    /// Use so many queries at most.
    #[serde(default)]
    pub queries: Option<usize>,
}
