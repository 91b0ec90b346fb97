//! The description of all this for programs, made from the code itself.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{documents, indexes, model, search, service};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "FastLane",
        description = "Late-interaction retrieval at the price of a single-vector search."
    ),
    paths(
        search::search, documents::put, documents::delete, documents::job, documents::one,
        indexes::all, indexes::one, model::encode, model::rerank,
        service::health, service::ready, service::metrics,
    ),
    security(("key" = [])),
    modifiers(&Key),
)]
struct Api;

/// How keys are sent.
struct Key;

impl Modify for Key {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

pub(crate) async fn json() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
