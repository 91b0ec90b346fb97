//! The OpenAPI description, generated from the code.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use super::{documents, indexes, model, search, service};
use crate::state::State;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "FastLane",
        description = "Late-interaction retrieval at the price of a single-vector search."
    ),
    paths(
        search::search, documents::put, documents::replace, documents::delete, documents::job, documents::one,
        indexes::all, indexes::one, model::encode, model::rerank,
        service::health, service::ready, service::metrics,
    ),
    security(("key" = [])),
)]
struct Api;

/// Responses that any request may get, in addition to those of its handler.
const ANY: [(&str, &str); 2] = [
    ("408", "The request timed out, or its body did not arrive"),
    ("500", "An internal error: the log has the details"),
];
/// Further responses of requests with a body; each of them uses an index.
const SENT: [(&str, &str); 4] = [
    ("400", "The request is not valid"),
    ("404", "The index does not exist"),
    ("413", "The body is too large"),
    ("429", "Too many requests at the moment"),
];
/// Responses of all endpoints but a few.
const GUARDED: [(&str, &str); 2] = [
    ("403", "The request comes from another site, or the key does not allow it"),
    ("503", "The service is shutting down, or cannot store changes"),
];
/// The same, if the service has keys.
const KEY: (&str, &str) = ("401", "A key is required");

/// The OpenAPI document of a service, with keys or without.
pub(crate) fn document(keys: bool) -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    if keys {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    } else {
        api.security = None;
    }
    for path in api.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        operations.into_iter().flatten().for_each(|operation| complete(operation, keys));
    }
    api
}

/// Adds a response to an operation, unless its handler documents one.
fn complete(operation: &mut Operation, keys: bool) {
    let responses = &mut operation.responses.responses;
    let mut say = |(status, what): &(&str, &str)| {
        responses.entry((*status).to_owned()).or_insert_with(|| refusal(what));
    };
    ANY.iter().for_each(&mut say);
    if operation.request_body.is_some() {
        SENT.iter().for_each(&mut say);
    }
    if operation.security.is_none() {
        GUARDED.iter().for_each(&mut say);
        if keys {
            say(&KEY);
        }
    }
}

fn refusal(what: &str) -> RefOr<Response> {
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    let response = ResponseBuilder::new().description(what).content("application/json", body);
    RefOr::T(response.build())
}

pub(crate) async fn json(Shared(state): Shared<Arc<State>>) -> Json<utoipa::openapi::OpenApi> {
    Json(document(state.keys.is_some()))
}
