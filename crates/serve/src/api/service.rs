//! Endpoints for health, readiness and metrics.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiResult;
use crate::error::{ErrorBody, Refusal};
use crate::metrics::head;
use crate::state::State;

/// The health of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`
    status: &'static str,
}

/// Reports that the service is alive.
#[utoipa::path(
    get, path = "/health", tag = "service", security(()),
    responses((status = 200, description = "The service is alive", body = Health))
)]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Reports whether the service accepts requests.
#[utoipa::path(
    get, path = "/ready", tag = "service", security(()),
    responses(
        (status = 200, description = "The service is ready", body = Health),
        (status = 503, description = "The service is shutting down", body = ErrorBody),
    )
)]
pub(crate) async fn ready(Shared(state): Shared<Arc<State>>) -> ApiResult<Health> {
    match state.stopping.load(Ordering::Relaxed) {
        false => Ok(Json(Health { status: "ok" })),
        true => {
            let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
            Err(Refusal::new(status, "stopping", "the service is shutting down"))
        }
    }
}

/// Returns metrics in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses(
        (status = 200, description = "Counters and histograms", content_type = "text/plain", body = String),
    )
)]
pub(crate) async fn metrics(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, state.metrics.write(&gauges(&state)))
}

fn gauges(state: &State) -> String {
    let mut out = String::new();
    head(&mut out, "fastlane_waiting", "gauge", "Requests that wait for a thread.");
    let _ = writeln!(out, "fastlane_waiting {}", state.workers.waiting());
    type Value = fn(&crate::state::Index) -> u64;
    let all: [(&str, &str, Value); 5] = [
        ("fastlane_generation", "The number of the last commit.", |it| it.collection.generation()),
        ("fastlane_documents", "Documents.", |it| it.collection.stats().documents),
        ("fastlane_passages", "Passages of documents.", |it| it.collection.stats().passages),
        ("fastlane_views", "Views that are searched.", |it| it.collection.stats().views.views),
        ("fastlane_changes_waiting", "Changes that were accepted and are not applied yet.", |it| {
            it.jobs.waiting() as u64
        }),
    ];
    for (name, help, value) in all {
        head(&mut out, name, "gauge", help);
        for (index, it) in &state.indexes {
            let _ = writeln!(out, "{name}{{index=\"{index}\"}} {}", value(it));
        }
    }
    let name = "fastlane_queries_total";
    head(&mut out, name, "counter", "Queries as text, by whether their views were kept.");
    for (index, it) in &state.indexes {
        for (found, count) in ["hit", "miss"].into_iter().zip(it.collection.cached_queries()) {
            let _ = writeln!(out, "{name}{{index=\"{index}\",cache=\"{found}\"}} {count}");
        }
    }
    out
}
