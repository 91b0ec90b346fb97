//! Run file settings of the training data, and of the dev and test sets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A source of pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// Its format.
    pub kind: Kind,
    /// A directory or a file, depending on the kind.
    pub path: PathBuf,
    /// For `beir`: the split of the judgements.
    #[serde(default = "train")]
    pub split: String,
    /// For `id-triples`: the documents; for others none.
    #[serde(default)]
    pub documents: Option<PathBuf>,
    /// For `id-triples`: the queries; for others none.
    #[serde(default)]
    pub queries: Option<PathBuf>,
    /// The relative frequency of batches from this source.
    #[serde(default = "one")]
    pub weight: f32,
    /// The largest number of pairs to use.
    #[serde(default)]
    pub limit: Option<usize>,
}

fn train() -> String {
    "train".to_owned()
}

fn one() -> f32 {
    1.0
}

/// The format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A directory with `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`.
    Beir,
    /// Lines of a query, a positive and a negative, as texts.
    Triples,
    /// Lines of three ids: of a query, a positive and a negative.
    IdTriples,
    /// Lines of `{"query", "positive", "negatives"}`.
    Jsonl,
    /// Documents only: a sentence of each is the query for the rest.
    InverseCloze,
    /// Documents only: the title of each is the query for its text.
    Titles,
}

/// Negatives of a query, besides the documents of other queries in the batch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NegativeSettings {
    /// The number per query.
    pub per_query: usize,
    /// Mine from this many of the best by BM25; 0 uses only the negatives of the source.
    pub bm25_depth: usize,
    /// Skip this many of the best: they are often relevant documents without a judgement.
    pub bm25_skip: usize,
    /// A trained model that mines as well.
    pub model: Option<PathBuf>,
    /// Mine from this many of the best by the model.
    pub model_depth: usize,
    /// Skip this many of the model's best.
    pub model_skip: usize,
}

impl NegativeSettings {
    /// Whether negatives are mined.
    pub(crate) fn mined(&self) -> bool {
        self.bm25_depth > 0 || self.model_depth > 0
    }
}

/// Views of another system, as `fastlane encode` writes them.
///
/// Texts are matched by id; those without views there take no part in a loss that needs them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewSettings {
    /// The directory of the queries' views.
    pub queries: Option<PathBuf>,
    /// The directory of the documents' views.
    pub documents: Option<PathBuf>,
}

impl ViewSettings {
    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        self.queries.is_some() || self.documents.is_some()
    }
}

/// A dev or test set: a BEIR directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedSettings {
    /// The directory.
    pub path: PathBuf,
    /// The split of the judgements.
    pub split: String,
    /// Documents without judgements are added up to this total; all documents if absent.
    #[serde(default)]
    pub documents: Option<usize>,
    /// The largest number of queries to use.
    #[serde(default)]
    pub queries: Option<usize>,
}
