//! The HTTP endpoints, one file for each kind of resource.

mod documents;
mod indexes;
mod json_body;
mod model;
mod openapi;
mod pages;
mod reply;
mod search;
mod service;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};

use crate::error::Refusal;
use crate::middleware;
use crate::state::State;

pub(crate) use json_body::JsonBody;
pub(crate) use reply::Reply;

/// All routes of a service.
pub(crate) fn router(state: &Arc<State>) -> Router {
    let guarded = Router::new()
        .route("/indexes", get(indexes::all))
        .route("/indexes/{name}", get(indexes::one))
        .route("/indexes/{name}/search", post(search::search))
        .route(
            "/indexes/{name}/documents",
            post(documents::put).put(documents::replace).delete(documents::delete),
        )
        .route("/indexes/{name}/documents/{id}", get(documents::one))
        .route("/indexes/{name}/jobs/{number}", get(documents::job))
        .route("/encode", post(model::encode))
        .route("/rerank", post(model::rerank))
        .route("/metrics", get(service::metrics))
        .route("/", get(pages::home))
        .route("/stats", get(pages::statistics))
        .route("/api", get(pages::reference))
        .route_layer(from_fn_with_state(Arc::clone(state), middleware::guard));
    Router::new()
        .merge(guarded)
        .route("/health", get(service::health))
        .route("/ready", get(service::ready))
        .route("/openapi.json", get(openapi::json))
        .route("/style.css", get(pages::style))
        .route("/page.js", get(pages::script))
        .route("/icon.svg", get(pages::icon))
        .fallback(nowhere)
        .method_not_allowed_fallback(no_such_way)
        .layer(from_fn(plain_errors))
        .layer(from_fn_with_state(Arc::clone(state), middleware::watch))
        .with_state(Arc::clone(state))
}

async fn nowhere() -> Refusal {
    Refusal::absent(
        "no_such_path",
        "there is nothing at this path: see /openapi.json for all paths",
    )
}

async fn no_such_way() -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(status, "wrong_method", "this path does not allow the method: see /openapi.json")
}

/// Converts errors of the framework into our JSON errors; pages show theirs as HTML.
async fn plain_errors(request: Request, next: axum::middleware::Next) -> axum::response::Response {
    if request.uri().path() == "/" {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    let json = response.headers().get(axum::http::header::CONTENT_TYPE);
    let plain = json.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let status = response.status();
    match status.is_client_error() && plain {
        false => response,
        true => Refusal::new(status, "bad_request", "the path or its parameters are not valid")
            .into_response(),
    }
}

/// A response, or a refusal.
pub(crate) type ApiResult<T> = Result<Json<T>, Refusal>;
