//! Endpoints for indexes: the list and the statistics.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiResult;
use crate::error::ErrorBody;
use crate::state::{Index, State};

/// The indexes of a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Indexes {
    indexes: Vec<About>,
}

/// The statistics of an index.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    /// The name of the index.
    name: String,
    /// The number of the last commit.
    generation: u64,
    /// Number of documents.
    documents: u64,
    /// Number of passages: long documents are split.
    passages: u64,
    /// Number of views that are searched.
    views: u64,
    /// The dimension of each view.
    dim: usize,
    /// Number of separate token views, which late interaction scores.
    token_views: u64,
    /// The dimension of each token view, if lane views are separate.
    token_dim: Option<usize>,
    /// Number of lists of views; 0 while the index is small.
    lists: usize,
    /// Bytes that any search may read.
    hot_bytes: u64,
    /// Bytes of the views on disk.
    bytes: u64,
    /// The fingerprint of the model.
    model: String,
    /// Changes that were accepted and are not committed yet.
    waiting: usize,
}

impl About {
    fn new(name: &str, index: &Index) -> Self {
        let figures = index.collection.stats();
        let views = figures.views;
        Self {
            name: name.to_owned(),
            generation: views.generation,
            documents: figures.documents,
            passages: figures.passages,
            views: views.views,
            dim: figures.dims.searched,
            token_views: views.token_views,
            token_dim: figures.dims.tokens,
            lists: views.lists,
            hot_bytes: views.hot_bytes,
            bytes: views.bytes,
            model: figures.fingerprint,
            waiting: index.jobs.waiting(),
        }
    }
}

/// Lists the indexes.
#[utoipa::path(
    get, path = "/indexes", tag = "indexes", operation_id = "indexes",
    responses(
        (status = 200, description = "All indexes", body = Indexes),
    )
)]
pub(crate) async fn all(Shared(state): Shared<Arc<State>>) -> Json<Indexes> {
    let indexes = state.indexes.iter().map(|(name, index)| About::new(name, index));
    Json(Indexes { indexes: indexes.collect() })
}

/// Returns the statistics of an index.
#[utoipa::path(
    get, path = "/indexes/{name}", tag = "indexes", operation_id = "index",
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 200, description = "The index", body = About),
        (status = 404, description = "The index does not exist", body = ErrorBody),
    )
)]
pub(crate) async fn one(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> ApiResult<About> {
    Ok(Json(About::new(&name, state.index(&name)?)))
}
