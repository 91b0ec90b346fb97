//! The interface to neural encoders: texts in, views out.
//!
//! An encoder turns a query into one *view* (vector) per token. *Alpha* is the share of the query's
//! intent that each token carries; the token with the largest share is the *lane*. A document
//! becomes one view per token, and may have a few *lane views* that summarise it for the search.

//!
//! [`check_encoder`] tests whether an encoder keeps its contract.

mod contract;

use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use contract::check_encoder;

use crate::TokenMatrix;

/// Encodes texts as views. The same text always gives the same bits.
///
/// Views have unit length, or at most a length that keeps their products finite.
pub trait Encoder: Send + Sync {
    /// Identifies the encoder: two encoders whose views differ have different fingerprints.
    ///
    /// An index stores it, and refuses an encoder with another fingerprint.
    fn fingerprint(&self) -> String;

    /// The dimensions of document views.
    fn dims(&self) -> ViewDims;

    /// Encodes one query. An empty text is valid.
    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError>;

    /// Encodes one query, and returns the time that the router took.
    fn encode_query_timed(&self, text: &str) -> Result<(QueryViews, Duration), EncodeError> {
        self.encode_query(text).map(|views| (views, Duration::ZERO))
    }

    /// Encodes many queries for throughput, in their order.
    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        texts.iter().map(|text| self.encode_query(text)).collect()
    }

    /// Encodes a stream of documents, in order, with bounded memory.
    ///
    /// If a text cannot be encoded, its result is an error, and the others are not affected.
    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a>;

    /// The tokens of [`DocumentViews::tokens`] without their views: used to explain hits.
    fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        let mut views = self.encode_documents(Box::new(std::iter::once(text.to_owned())));
        views.next().map_or_else(|| Ok(Vec::new()), |views| Ok(views?.tokens))
    }

    /// The most tokens of a document that it reads, without those that it adds to each; `None` if it
    /// reads all of a text.
    fn document_limit(&self) -> Option<usize> {
        None
    }

    /// The number of tokens of a text, however long it is, without those that it adds to each.
    ///
    /// Collections split documents by it; it is called for each sentence.
    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    /// Compares a fingerprint that an index stores with the fingerprint of this encoder.
    ///
    /// # Errors
    ///
    /// The stored fingerprint has an earlier form, and the data that this form needs is unreadable.
    fn compare(&self, kept: &str) -> Result<FingerprintMatch, Box<dyn Error + Send + Sync>> {
        Ok(if kept == self.fingerprint() {
            FingerprintMatch::Same
        } else {
            FingerprintMatch::Other
        })
    }

    /// The path it was opened from, so that an index can reopen it; `None` if it is not from a
    /// file.
    fn location(&self) -> Option<&Path> {
        None
    }

    /// Whether alpha comes from a router. Without a router, all tokens have the same alpha.
    fn has_router(&self) -> bool {
        false
    }
}

impl<E: Encoder + ?Sized> Encoder for Arc<E> {
    fn fingerprint(&self) -> String {
        (**self).fingerprint()
    }

    fn dims(&self) -> ViewDims {
        (**self).dims()
    }

    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        (**self).encode_query(text)
    }

    fn encode_query_timed(&self, text: &str) -> Result<(QueryViews, Duration), EncodeError> {
        (**self).encode_query_timed(text)
    }

    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        (**self).encode_queries(texts)
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        (**self).encode_documents(texts)
    }

    fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        (**self).document_tokens(text)
    }

    fn document_limit(&self) -> Option<usize> {
        (**self).document_limit()
    }

    fn count_tokens(&self, text: &str) -> usize {
        (**self).count_tokens(text)
    }

    fn compare(&self, kept: &str) -> Result<FingerprintMatch, Box<dyn Error + Send + Sync>> {
        (**self).compare(kept)
    }

    fn location(&self) -> Option<&Path> {
        (**self).location()
    }

    fn has_router(&self) -> bool {
        (**self).has_router()
    }
}

/// The dimensions of document views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewDims {
    /// Of the searched views.
    pub searched: usize,
    /// Of the token views, if the searched views are separate lane views.
    pub tokens: Option<usize>,
}

/// The result of comparing a stored fingerprint with that of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FingerprintMatch {
    /// They are equal.
    Same,
    /// They name the same encoder; the stored one has the form of an earlier version.
    Earlier,
    /// They name different encoders.
    Other,
}

/// A token and its position in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The id in the vocabulary.
    pub id: u32,
    /// The token as the vocabulary spells it: `##ing`, `[CLS]`.
    pub text: String,
    /// Its byte range in the text; `None` if the encoder added it.
    pub bytes: Option<Range<usize>>,
}

/// The encoding of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryViews {
    /// The tokens, one for each view.
    pub tokens: Vec<Token>,
    /// One view per token, for comparison with the token views of documents.
    pub views: TokenMatrix,
    /// The share of the intent that each token carries; the sum is 1. Uniform without a router.
    pub alpha: Vec<f32>,
    /// One view per token, for comparison with the lane views of documents, if these are separate
    /// from the token views.
    pub lane_views: Option<TokenMatrix>,
    /// The soft lane: one view, the mean of all token views weighted by alpha.
    pub soft_lane: Vec<f32>,
    /// The lanes that search when the caller sets no number of lanes.
    pub usual: UsualLane,
    /// The number of bytes at the end of the text that were cut because it is too long.
    pub cut: usize,
}

/// The lanes that search when the caller sets no number of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsualLane {
    /// The views of this many tokens with the largest alpha.
    Best(usize),
    /// The soft lane.
    Soft,
    /// All tokens with equal weight, as there is no router.
    All,
}

/// A view that searches for a query, and its weight in the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lane<'a> {
    /// The index of its token.
    pub token: usize,
    /// Its weight; the weights of all lanes add up to 1.
    pub weight: f32,
    /// The view.
    pub view: &'a [f32],
}

impl QueryViews {
    /// Returns the `k` tokens with the largest alpha, best first; the first token wins a tie.
    ///
    /// One lane is FastLane's search. All tokens, equally weighted, are ColBERT's.
    pub fn lanes(&self, k: usize) -> Vec<Lane<'_>> {
        let mut order: Vec<usize> = (0..self.alpha.len()).collect();
        order.sort_by(|&a, &b| self.alpha[b].total_cmp(&self.alpha[a]));
        order.truncate(k);
        let sum: f32 = order.iter().map(|&token| self.alpha[token]).sum();
        let views = self.lane_views.as_ref().unwrap_or(&self.views);
        let lane = |token| Lane { token, weight: self.alpha[token] / sum, view: views.row(token) };
        order.into_iter().map(lane).collect()
    }

    /// The lanes that search: the given number of best tokens, or the default.
    pub fn searching(&self, lanes: Option<usize>) -> Vec<Lane<'_>> {
        match (lanes, self.usual) {
            (Some(k), _) => self.lanes(k),
            (None, UsualLane::Best(k)) => self.lanes(k),
            (None, UsualLane::All) => self.lanes(usize::MAX),
            (None, UsualLane::Soft) => {
                let best = self.lanes(1);
                let soft = |best: &Lane<'_>| Lane { weight: 1.0, view: &self.soft_lane, ..*best };
                best.iter().map(soft).collect()
            }
        }
    }
}

/// The encoding of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentViews {
    /// The tokens, one for each token view.
    pub tokens: Vec<Token>,
    /// One view per token, without the tokens that the encoder skips.
    pub views: TokenMatrix,
    /// The searched views, if they are separate from the token views.
    pub lane_views: Option<TokenMatrix>,
    /// The number of bytes at the end of the text that were cut because it is too long.
    pub cut: usize,
}

impl DocumentViews {
    /// The searched views, and the token views if these are separate.
    pub fn searched(&self) -> (&TokenMatrix, Option<&TokenMatrix>) {
        match &self.lane_views {
            Some(lanes) => (lanes, Some(&self.views)),
            None => (&self.views, None),
        }
    }
}

/// A text could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode the text that begins `{start}`")]
pub struct EncodeError {
    /// The first characters of the text.
    pub start: String,
    /// The encoder's error.
    pub source: Box<dyn Error + Send + Sync>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(alpha: &[f32], lane_views: Option<TokenMatrix>) -> QueryViews {
        let token = Token { id: 0, text: "light".to_owned(), bytes: None };
        let views = (0..alpha.len()).flat_map(|token| [token as f32, 1.0]).collect();
        QueryViews {
            tokens: vec![token; alpha.len()],
            views: TokenMatrix::new(2, views),
            alpha: alpha.to_vec(),
            lane_views,
            soft_lane: vec![0.0, 1.0],
            usual: UsualLane::Soft,
            cut: 0,
        }
    }

    #[test]
    fn lanes_by_hand() {
        let query = query(&[0.125, 0.375, 0.125, 0.375], None);
        let found = |k| -> Vec<(usize, f32)> {
            query.lanes(k).iter().map(|lane| (lane.token, lane.weight)).collect()
        };
        assert_eq!(found(0), []);
        assert_eq!(found(1), [(1, 1.0)]);
        assert_eq!(found(3), [(1, 3.0 / 7.0), (3, 3.0 / 7.0), (0, 1.0 / 7.0)]);
        assert_eq!(found(9), [(1, 0.375), (3, 0.375), (0, 0.125), (2, 0.125)]);
        assert_eq!(query.lanes(1)[0].view, [1.0, 1.0]);
    }

    #[test]
    fn the_usual_lanes_search_unless_others_are_wanted() {
        let mut query = query(&[0.25, 0.75], None);
        let found = |query: &QueryViews, k| -> Vec<(usize, f32, Vec<f32>)> {
            let lanes = query.searching(k);
            lanes.iter().map(|lane| (lane.token, lane.weight, lane.view.to_vec())).collect()
        };
        assert_eq!(found(&query, None), [(1, 1.0, vec![0.0, 1.0])]);
        assert_eq!(found(&query, Some(1)), [(1, 1.0, vec![1.0, 1.0])]);
        for k in [1, 2] {
            query.usual = UsualLane::Best(k);
            assert_eq!(found(&query, None), found(&query, Some(k)));
        }
        query.usual = UsualLane::All;
        assert_eq!(found(&query, None), found(&query, Some(2)));
    }

    #[test]
    fn lanes_have_views_of_their_own_where_there_are_some() {
        let own = TokenMatrix::new(3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(query(&[0.25, 0.75], Some(own)).lanes(1)[0].view, [4.0, 5.0, 6.0]);
    }
}
