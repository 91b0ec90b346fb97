//! Endpoints for the model of an index: views of texts, and late-interaction scores.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::{Extension, Json};
use fastlane::{Collection, CollectionError, QueryViews, TokenMatrix};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::search::{check_count, check_text};
use super::{ApiResult, JsonBody, Reply};
use crate::bounded::Bounded;
use crate::config::QUERIES;
use crate::error::{ErrorBody, Refusal, chain};
use crate::peer::Peer;
use crate::shares::Share;
use crate::state::State;

/// Texts to encode.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EncodeBody {
    /// The index whose model is used.
    index: String,
    /// Queries; each of their tokens has an alpha.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    queries: Bounded<String, QUERIES>,
    /// Documents.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    documents: Bounded<String, QUERIES>,
}

/// Views of texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Encoded {
    queries: Vec<EncodedText>,
    documents: Vec<EncodedText>,
}

/// Views of a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EncodedText {
    /// The tokens that have views.
    tokens: Vec<String>,
    /// A view for each token.
    views: Vec<Vec<f32>>,
    /// Queries only: the alpha of each token.
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<Vec<f32>>,
    /// The lane views, if they are separate; for a query, the soft lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes: Option<Vec<Vec<f32>>>,
}

/// Encodes texts with the model of an index.
#[utoipa::path(
    post, path = "/encode", tag = "model", request_body = EncodeBody,
    responses(
        (status = 200, description = "Views of the texts", body = Encoded),
        (status = 413, description = "Too many texts, or one that is too long", body = ErrorBody),
    )
)]
pub(crate) async fn encode(
    Shared(state): Shared<Arc<State>>,
    Extension(peer): Extension<Peer>,
    JsonBody(body, room): JsonBody<EncodeBody>,
) -> Result<Reply, Refusal> {
    let EncodeBody { index, queries: Bounded(queries), documents: Bounded(documents) } = body;
    let collection = state.index(&index)?.collection.clone();
    check_count("texts", queries.len() + documents.len())?;
    queries.iter().try_for_each(|query| check_text(query, &state.limits))?;
    let mut reply = Reply::new(&peer, &state)?;
    reply.text("{\"queries\":[")?;
    let (queries, documents) = (queries.into_iter(), DocumentBatches::new(collection, documents));
    let texts = Texts { queries, documents, reply, at: ListPosition::Start, _body: room };
    let (mut texts, _) = state.workers.run_steps(&peer, texts, |texts, _| texts.step()).await?;
    texts.reply.text("]}")?;
    Ok(texts.reply)
}

/// Documents that are encoded together in one step.
const TOGETHER: usize = 8;

/// Documents that are encoded in batches.
struct DocumentBatches {
    collection: Collection,
    texts: std::vec::IntoIter<String>,
    /// How many were encoded.
    done: usize,
}

impl DocumentBatches {
    fn new(collection: Collection, texts: Vec<String>) -> Self {
        Self { collection, texts: texts.into_iter(), done: 0 }
    }

    fn is_done(&self) -> bool {
        self.texts.len() == 0
    }

    /// Encodes the next batch.
    fn step(&mut self) -> Result<Vec<fastlane::DocumentViews>, Refusal> {
        let texts: Vec<String> = self.texts.by_ref().take(TOGETHER).collect();
        let first = self.done;
        self.done += texts.len();
        self.collection.encode_documents(texts, first).map_err(|error| match error {
            CollectionError::Encode { .. } => Refusal::bad(chain(&error)),
            error => error.into(),
        })
    }
}

/// The state of an encode request.
struct Texts {
    queries: std::vec::IntoIter<String>,
    documents: DocumentBatches,
    reply: Reply,
    at: ListPosition,
    /// The request body, which holds the texts in memory.
    _body: Share,
}

/// The position in the response.
#[derive(PartialEq)]
enum ListPosition {
    /// Nothing is written yet.
    Start,
    Queries,
    Documents,
}

impl Texts {
    /// Encodes a query, or some documents; returns whether that was all.
    fn step(&mut self) -> Result<bool, Refusal> {
        if let Some(text) = self.queries.next() {
            let (it, _) = self.documents.collection.encode(&text)?;
            let soft = it.usual == fastlane::UsualLane::Soft;
            let lanes = soft.then(|| vec![it.soft_lane.clone()]);
            let tokens = it.tokens.iter().map(|token| token.text.clone()).collect();
            let (views, alpha) = (rows(&it.views), Some(it.alpha.clone()));
            self.push(ListPosition::Queries, &EncodedText { tokens, views, alpha, lanes })?;
            return Ok(false);
        }
        if self.at != ListPosition::Documents {
            self.reply.text("],\"documents\":[")?;
            self.at = ListPosition::Start;
        }
        for it in self.documents.step()? {
            let tokens = it.tokens.into_iter().map(|token| token.text).collect();
            let (views, lanes) = (rows(&it.views), it.lane_views.as_ref().map(rows));
            self.push(ListPosition::Documents, &EncodedText { tokens, views, alpha: None, lanes })?;
        }
        Ok(self.documents.is_done())
    }

    fn push(&mut self, list: ListPosition, text: &EncodedText) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.at, list) != ListPosition::Start {
            self.reply.text(",")?;
        }
        self.reply.json(text)
    }
}

fn rows(matrix: &TokenMatrix) -> Vec<Vec<f32>> {
    matrix.values().chunks_exact(matrix.dim().max(1)).map(<[f32]>::to_vec).collect()
}

/// Texts to rerank for a query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerankBody {
    /// The index whose model is used.
    index: String,
    /// The query.
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    query: String,
    /// The texts.
    #[schema(max_items = 256, value_type = Vec<String>)]
    documents: Bounded<String, QUERIES>,
}

/// Texts, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reranked {
    results: Vec<Scored>,
}

/// A text and its score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Scored {
    /// The position of the text in the request, from 0.
    place: usize,
    /// MaxSim: the sum over query tokens of the largest dot product with a token of the text.
    score: f32,
}

/// Scores texts for a query by late interaction.
#[utoipa::path(
    post, path = "/rerank", tag = "model", request_body = RerankBody,
    responses(
        (status = 200, description = "The texts in order", body = Reranked),
        (status = 413, description = "Too many texts", body = ErrorBody),
    )
)]
pub(crate) async fn rerank(
    Shared(state): Shared<Arc<State>>,
    Extension(peer): Extension<Peer>,
    JsonBody(body, _room): JsonBody<RerankBody>,
) -> ApiResult<Reranked> {
    let RerankBody { index, query, documents: Bounded(documents) } = body;
    let collection = state.index(&index)?.collection.clone();
    check_text(&query, &state.limits)?;
    check_count("texts", documents.len())?;
    let documents = DocumentBatches::new(collection, documents);
    let texts = Candidates { query, views: None, documents, results: Vec::new() };
    let (texts, _) = state.workers.run_steps(&peer, texts, |texts, _| texts.step()).await?;
    let mut results = texts.results;
    results.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
    Ok(Json(Reranked { results }))
}

/// The state of a rerank request.
struct Candidates {
    query: String,
    /// The views of the query, once it is encoded.
    views: Option<Arc<QueryViews>>,
    documents: DocumentBatches,
    results: Vec<Scored>,
}

impl Candidates {
    /// Encodes the query, or scores some documents; returns whether that was all.
    fn step(&mut self) -> Result<bool, Refusal> {
        match &self.views {
            None => self.views = Some(self.documents.collection.encode(&self.query)?.0),
            Some(query) => {
                for it in self.documents.step()? {
                    let (place, score) = (self.results.len(), query.views.sum_max(&it.views));
                    self.results.push(Scored { place, score });
                }
            }
        }
        Ok(self.documents.is_done())
    }
}
