//! Indexes: which there are, and what they consist of.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Serialize;
use utoipa::ToSchema;

use super::Answered;
use crate::error::ErrorBody;
use crate::state::{Index, State};

/// The indexes of a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Indexes {
    indexes: Vec<About>,
}

/// What an index consists of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    /// Its name.
    name: String,
    /// The number of its last commit.
    generation: u64,
    /// Its documents.
    documents: u64,
    /// Views that are searched.
    views: u64,
    /// How long each is.
    dim: usize,
    /// Token views beside them, that late interaction scores.
    token_views: u64,
    /// How long each of those is, where they are others.
    token_dim: Option<usize>,
    /// Lists of views; none while there are few.
    lists: usize,
    /// Bytes that every search may touch.
    hot_bytes: u64,
    /// Bytes of its views on disk.
    bytes: u64,
    /// What tells its model from others.
    model: String,
    /// Changes that were accepted and are not in it yet.
    waiting: usize,
}

impl About {
    fn new(name: &str, index: &Index) -> Self {
        let figures = index.collection.stats();
        let views = figures.views;
        Self {
            name: name.to_owned(),
            generation: views.generation,
            documents: views.documents,
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

/// Tells what an index consists of.
#[utoipa::path(
    get, path = "/indexes/{name}", tag = "indexes", operation_id = "index",
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 200, description = "The index", body = About),
        (status = 404, description = "There is no such index", body = ErrorBody),
    )
)]
pub(crate) async fn one(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Answered<About> {
    Ok(Json(About::new(&name, state.index(&name)?)))
}
