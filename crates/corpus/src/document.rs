//! Documents and queries, the records that readers return and indexes accept.

use std::borrow::Cow;

use crate::outline::Outline;

/// Metadata of a document: any JSON object.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// A retrievable text with a stable id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The external id, unique in its collection.
    pub id: String,
    /// The title, empty when the source has none.
    pub title: String,
    /// The body.
    pub text: String,
    /// All other fields of the source, unchanged; filters can use them.
    pub metadata: Metadata,
    /// What the reader knows of the structure of `text`.
    pub outline: Outline,
}

impl Document {
    /// Title and text as one field, the way BEIR's flat baselines see a document.
    ///
    /// ```
    /// let document = fastlane_corpus::Document {
    ///     title: "Gravity".into(),
    ///     text: "Masses attract.".into(),
    ///     ..Default::default()
    /// };
    /// assert_eq!(document.full_text(), "Gravity Masses attract.");
    /// ```
    pub fn full_text(&self) -> Cow<'_, str> {
        match (self.title.is_empty(), self.text.is_empty()) {
            (true, _) => Cow::Borrowed(&self.text),
            (false, true) => Cow::Borrowed(&self.title),
            (false, false) => Cow::Owned(format!("{} {}", self.title, self.text)),
        }
    }
}

/// A query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The external id, as qrels and runs name it.
    pub id: String,
    /// The text of the query.
    pub text: String,
}
