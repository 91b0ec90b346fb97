//! The seam to neural nets: texts in, views out.
//!
//! An encoder turns a query into one *view* per token and says by *alpha* how much of the query's
//! intent each token carries; the token that carries most is its *lane*. It turns a document into
//! one view per token, and may add a few *lane views* that gather the document for the search.

//!
//! [`check_encoder`] holds an encoder against its contract.

mod contract;

use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use contract::check_encoder;

use crate::TokenMatrix;

/// Makes views of texts; the same text always gives the same bits.
///
/// Views have unit length, or at most such a length that their products are finite.
pub trait Encoder: Send + Sync {
    /// Names the encoder: two that make other views of any text have other fingerprints.
    ///
    /// An index keeps it, and refuses an encoder with another one.
    fn fingerprint(&self) -> String;

    /// The lengths of the views of documents.
    fn dims(&self) -> ViewDims;

    /// Encodes one query. An empty text is valid.
    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError>;

    /// The same, with the time that the router took.
    fn encode_query_timed(&self, text: &str) -> Result<(QueryViews, Duration), EncodeError> {
        self.encode_query(text).map(|views| (views, Duration::ZERO))
    }

    /// Encodes many queries for throughput, in their order.
    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        texts.iter().map(|text| self.encode_query(text)).collect()
    }

    /// Encodes documents as they come, in their order, with bounded memory.
    ///
    /// A text that cannot be encoded gives an error in its place and the others go on.
    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a>;

    /// The tokens of [`DocumentViews::tokens`] without their views: what a hit is explained by.
    fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        let mut views = self.encode_documents(Box::new(std::iter::once(text.to_owned())));
        views.next().map_or_else(|| Ok(Vec::new()), |views| Ok(views?.tokens))
    }

    /// Compares a fingerprint that an index keeps with this encoder's.
    ///
    /// # Errors
    ///
    /// It is in an earlier form, and what that form needs cannot be read any more.
    fn compare(&self, kept: &str) -> Result<FingerprintMatch, Box<dyn Error + Send + Sync>> {
        Ok(if kept == self.fingerprint() {
            FingerprintMatch::Same
        } else {
            FingerprintMatch::Other
        })
    }

    /// Where it was opened from, so that an index can open it again; `None` if it comes from no file.
    fn location(&self) -> Option<&Path> {
        None
    }

    /// Whether alpha comes from a router. Without one it is the same for all tokens.
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

/// The lengths of the views of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewDims {
    /// Of the views that are searched.
    pub searched: usize,
    /// Of the token views beside them, where these are others.
    pub tokens: Option<usize>,
}

/// How a fingerprint that was kept compares with an encoder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FingerprintMatch {
    /// They are the same.
    Same,
    /// They mean the same, and the kept one has the form of an earlier version.
    Earlier,
    /// They are of different encoders.
    Other,
}

/// A token and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The id in the vocabulary.
    pub id: u32,
    /// The token as the vocabulary spells it: `##ing`, `[CLS]`.
    pub text: String,
    /// Its bytes in the text; `None` when the encoder added it.
    pub bytes: Option<Range<usize>>,
}

/// What an encoder makes of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryViews {
    /// The tokens, one for each view.
    pub tokens: Vec<Token>,
    /// One view per token, to be compared with the token views of documents.
    pub views: TokenMatrix,
    /// How much of the intent each token carries; adds up to 1. All the same without a router.
    pub alpha: Vec<f32>,
    /// One view per token, to be compared with the lane views of documents, when these are made
    /// apart from the token views.
    pub lane_views: Option<TokenMatrix>,
    /// The soft lane: one view of all tokens, weighed by alpha.
    pub soft_lane: Vec<f32>,
    /// What searches when nobody asks for a number of lanes.
    pub usual: UsualLane,
    /// How many bytes at the end of the text were left out because it is too long.
    pub cut: usize,
}

/// What searches for a query when nobody asks for a number of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsualLane {
    /// So many tokens that carry most of the intent.
    Best(usize),
    /// One view of all tokens.
    Soft,
    /// Every token alike: there is no router.
    All,
}

/// A view that searches for a query, and its share in the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lane<'a> {
    /// Which token it stands for.
    pub token: usize,
    /// Its share; those of all lanes add up to 1.
    pub weight: f32,
    /// The view.
    pub view: &'a [f32],
}

impl QueryViews {
    /// Picks the `k` tokens that carry most of the intent, best first; the first token wins a tie.
    ///
    /// One lane is FastLane's search; all of them, weighed alike, are ColBERT's.
    pub fn lanes(&self, k: usize) -> Vec<Lane<'_>> {
        let mut order: Vec<usize> = (0..self.alpha.len()).collect();
        order.sort_by(|&a, &b| self.alpha[b].total_cmp(&self.alpha[a]));
        order.truncate(k);
        let sum: f32 = order.iter().map(|&token| self.alpha[token]).sum();
        let views = self.lane_views.as_ref().unwrap_or(&self.views);
        let lane = |token| Lane { token, weight: self.alpha[token] / sum, view: views.row(token) };
        order.into_iter().map(lane).collect()
    }

    /// The lanes that search: so many of the best tokens, or the usual ones.
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

/// What an encoder makes of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentViews {
    /// The tokens, one for each token view.
    pub tokens: Vec<Token>,
    /// One view per token, without those the encoder skips.
    pub views: TokenMatrix,
    /// The views that are searched, when they are not the token views.
    pub lane_views: Option<TokenMatrix>,
    /// How many bytes at the end of the text were left out because it is too long.
    pub cut: usize,
}

impl DocumentViews {
    /// The views that are searched, and the token views beside them, where these are others.
    pub fn searched(&self) -> (&TokenMatrix, Option<&TokenMatrix>) {
        match &self.lane_views {
            Some(lanes) => (lanes, Some(&self.views)),
            None => (&self.views, None),
        }
    }
}

/// Why a text could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode the text that begins `{start}`")]
pub struct EncodeError {
    /// The first characters of the text.
    pub start: String,
    /// What the encoder says.
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
