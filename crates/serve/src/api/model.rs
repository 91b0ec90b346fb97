//! The model of an index, for those who keep their own: views of texts, and scores of documents.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use fastlane::{Collection, CollectionError, TokenMatrix};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::search::check_text;
use super::{Answered, Sent};
use crate::error::{ErrorBody, Refusal, chain};
use crate::state::State;

/// Texts to be encoded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EncodeBody {
    /// The index whose model is meant.
    index: String,
    /// Queries; their tokens have shares of the intent.
    #[serde(default)]
    queries: Vec<String>,
    /// Documents.
    #[serde(default)]
    documents: Vec<String>,
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
    /// A view for each.
    views: Vec<Vec<f32>>,
    /// Of a query: how much of the intent each token carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    alpha: Option<Vec<f32>>,
    /// The views that search or are searched, where they are others: of a query the soft lane.
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
    Sent(body): Sent<EncodeBody>,
) -> Answered<Encoded> {
    let EncodeBody { index, queries, documents } = body;
    let collection = Arc::clone(&state.index(&index)?.collection);
    check_count(queries.len() + documents.len(), &state)?;
    queries.iter().try_for_each(|query| check_text(query, &state.limits))?;
    let (encoded, _) = state.desk.run(move || encoded(&collection, &queries, documents)).await?;
    Ok(Json(encoded?))
}

fn check_count(found: usize, state: &State) -> Result<(), Refusal> {
    let most = state.limits.queries;
    match found > most {
        true => Err(Refusal::too_large(format!("there are {found} texts, wanted at most {most}"))),
        false => Ok(()),
    }
}

fn encoded(
    collection: &Collection,
    queries: &[String],
    documents: Vec<String>,
) -> Result<Encoded, Refusal> {
    let query = |text: &String| -> Result<EncodedText, CollectionError> {
        let (it, _) = collection.encode(text)?;
        let lanes = (it.usual == fastlane::UsualLane::Soft).then(|| vec![it.soft_lane]);
        let tokens = it.tokens.into_iter().map(|token| token.text).collect();
        Ok(EncodedText { tokens, views: rows(&it.views), alpha: Some(it.alpha), lanes })
    };
    let queries = queries.iter().map(query).collect::<Result<_, _>>()?;
    let document = |it: fastlane::DocumentViews| EncodedText {
        tokens: it.tokens.into_iter().map(|token| token.text).collect(),
        views: rows(&it.views),
        alpha: None,
        lanes: it.lane_views.as_ref().map(rows),
    };
    let documents = collection.encode_documents(documents)?.into_iter().map(document).collect();
    Ok(Encoded { queries, documents })
}

fn rows(matrix: &TokenMatrix) -> Vec<Vec<f32>> {
    matrix.values().chunks_exact(matrix.dim().max(1)).map(<[f32]>::to_vec).collect()
}

/// Texts to be put into order for a query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerankBody {
    /// The index whose model is meant.
    index: String,
    /// The query.
    #[schema(min_length = 1, max_length = 16384, pattern = r"\S")]
    query: String,
    /// The texts.
    #[schema(max_items = 256)]
    documents: Vec<String>,
}

/// Texts in order, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reranked {
    results: Vec<Scored>,
}

/// A text and its score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Scored {
    /// Its place among those that were sent, from 0.
    place: usize,
    /// The sum over the query's tokens of the best product with a token of the text.
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
    Sent(body): Sent<RerankBody>,
) -> Answered<Reranked> {
    let RerankBody { index, query, documents } = body;
    let collection = Arc::clone(&state.index(&index)?.collection);
    check_text(&query, &state.limits)?;
    check_count(documents.len(), &state)?;
    let (scores, _) = state.desk.run(move || scores(&collection, &query, documents)).await?;
    let scores = scores.map_err(|error| match error {
        CollectionError::Encode { .. } => Refusal::bad(chain(&error)),
        error => error.into(),
    })?;
    let mut results: Vec<Scored> =
        scores.into_iter().enumerate().map(|(place, score)| Scored { place, score }).collect();
    results.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
    Ok(Json(Reranked { results }))
}

fn scores(
    collection: &Collection,
    query: &str,
    documents: Vec<String>,
) -> Result<Vec<f32>, CollectionError> {
    let (query, _) = collection.encode(query)?;
    let views = collection.encode_documents(documents)?;
    Ok(views.iter().map(|it| query.views.sum_max(&it.views)).collect())
}
