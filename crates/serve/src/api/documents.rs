//! Endpoints for documents: put, delete, read, and the state of changes.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiResult, JsonBody, Reply};
use crate::bounded::Bounded;
use crate::config::DOCUMENTS;
use crate::error::{ErrorBody, Refusal};
use crate::jobs::Job;
use crate::journal::{Change, SentDocument};
use crate::metadata::SentMetadata;
use crate::peer::Peer;
use crate::shares::Share;
use crate::state::State;

/// The longest id, in bytes.
const LONGEST_ID: usize = 1024;
/// The most values and bytes of a document's metadata.
const MOST_VALUES: usize = 1000;
const MOST_METADATA: usize = 64 << 10;

/// Documents to add, or to replace by id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutBody {
    #[schema(min_items = 1, max_items = 10000, value_type = Vec<SentDocument>)]
    documents: Bounded<SentDocument, DOCUMENTS>,
}

/// Documents to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteBody {
    #[schema(min_items = 1, max_items = 10000, value_type = Vec<String>)]
    ids: Bounded<String, DOCUMENTS>,
}

/// A change that is stored durably and will be applied.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// The number of the change.
    job: u64,
    /// The path that returns the state of the change.
    status: String,
}

/// Adds documents, or replaces them by id.
#[utoipa::path(
    post, path = "/indexes/{name}/documents", tag = "documents", operation_id = "putDocuments",
    request_body = PutBody,
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 202, description = "The change is on disk, and will be applied", body = Accepted),
        (status = 429, description = "Too many changes are waiting", body = ErrorBody),
    )
)]
pub(crate) async fn put(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    JsonBody(PutBody { documents: Bounded(documents) }, room): JsonBody<PutBody>,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    check_count("documents", documents.len())?;
    check_ids(documents.iter().map(|document| document.id.as_str()))?;
    check_metadata(&documents)?;
    accept(&state, name, (Change::Put(documents), room)).await
}

/// Same as POST: adds documents, or replaces them by id.
#[utoipa::path(
    put, path = "/indexes/{name}/documents", tag = "documents", operation_id = "replaceDocuments",
    request_body = PutBody,
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 202, description = "The change is on disk, and will be applied", body = Accepted),
        (status = 429, description = "Too many changes are waiting", body = ErrorBody),
    )
)]
pub(crate) async fn replace(
    state: Shared<Arc<State>>,
    name: Path<String>,
    body: JsonBody<PutBody>,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    put(state, name, body).await
}

/// Deletes documents; ids that are not in the index are ignored.
#[utoipa::path(
    delete, path = "/indexes/{name}/documents", tag = "documents", operation_id = "deleteDocuments",
    request_body = DeleteBody,
    params(("name" = String, Path, description = "The index")),
    responses(
        (status = 202, description = "The change is on disk, and will be applied", body = Accepted),
        (status = 429, description = "Too many changes are waiting", body = ErrorBody),
    )
)]
pub(crate) async fn delete(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    JsonBody(DeleteBody { ids: Bounded(ids) }, room): JsonBody<DeleteBody>,
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    check_count("ids", ids.len())?;
    check_ids(ids.iter().map(String::as_str))?;
    accept(&state, name, (Change::Delete(ids), room)).await
}

/// Rejects metadata with too many values or bytes: filters index every value.
fn check_metadata(documents: &[SentDocument]) -> Result<(), Refusal> {
    for SentDocument { id, metadata, .. } in documents {
        let bad =
            |error| Refusal::bad(format!("the metadata of {id:.80?} cannot be read: {error}"));
        let (values, bytes) = (metadata.values().map_err(bad)?, metadata.len());
        if values > MOST_VALUES || bytes > MOST_METADATA {
            return Err(Refusal::bad(format!(
                "the metadata of {id:.80?} has {values} values and {bytes} bytes, \
                 wanted at most {MOST_VALUES} and {MOST_METADATA}"
            )));
        }
    }
    Ok(())
}

fn check_count(what: &str, found: usize) -> Result<(), Refusal> {
    match found > DOCUMENTS {
        true => Err(Refusal::too_large(format!(
            "there are more than {DOCUMENTS} {what}: send them in parts"
        ))),
        false => Ok(()),
    }
}

fn check_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for id in ids {
        if id.is_empty() || id.len() > LONGEST_ID || id.contains(char::is_control) {
            let wanted = format!("wanted 1 to {LONGEST_ID} bytes without control characters");
            return Err(Refusal::bad(format!("the id {id:.80?} is not valid, {wanted}")));
        }
        if !seen.insert(id) {
            return Err(Refusal::bad(format!("the id {id:.80?} appears twice")));
        }
    }
    match seen.is_empty() {
        true => Err(Refusal::bad("there are no documents to change")),
        false => Ok(()),
    }
}

async fn accept(
    state: &Arc<State>,
    name: String,
    (change, room): (Change, Share),
) -> Result<(StatusCode, Json<Accepted>), Refusal> {
    state.index(&name)?;
    let (own, index) = (Arc::clone(state), name.clone());
    // it blocks on the disk
    let accepted = tokio::task::spawn_blocking(move || {
        let _room = room;
        own.index(&index)?.jobs.accept(&change, own.limits.pending)
    });
    let job = accepted.await.map_err(|error| Refusal::internal(error.to_string()))??;
    let status = format!("/indexes/{name}/jobs/{job}");
    Ok((StatusCode::ACCEPTED, Json(Accepted { job, status })))
}

/// Returns the state of a change.
#[utoipa::path(
    get, path = "/indexes/{name}/jobs/{number}", tag = "documents", operation_id = "job",
    params(
        ("name" = String, Path, description = "The index"),
        ("number" = u64, Path, description = "The number of the accepted change"),
    ),
    responses(
        (status = 200, description = "The state of the change", body = Job),
        (status = 400, description = "The number is not valid", body = ErrorBody),
        (status = 404, description = "The index or the change does not exist", body = ErrorBody),
    )
)]
pub(crate) async fn job(
    Shared(state): Shared<Arc<State>>,
    Path((name, number)): Path<(String, u64)>,
) -> ApiResult<Job> {
    let job = state.index(&name)?.jobs.find(number);
    job.map(Json).ok_or_else(|| {
        Refusal::absent(
            "no_such_job",
            format!("there is no change {number}, or its state is no longer stored"),
        )
    })
}

/// Returns a document as it was sent.
#[utoipa::path(
    get, path = "/indexes/{name}/documents/{id}", tag = "documents", operation_id = "document",
    params(
        ("name" = String, Path, description = "The index"),
        ("id" = String, Path, description = "The document"),
    ),
    responses(
        (status = 200, description = "The document", body = SentDocument),
        (status = 404, description = "The index or the document does not exist", body = ErrorBody),
        (status = 429, description = "Too many requests at the moment", body = ErrorBody),
    )
)]
pub(crate) async fn one(
    Shared(state): Shared<Arc<State>>,
    Path((name, id)): Path<(String, String)>,
    Extension(peer): Extension<Peer>,
) -> Result<Reply, Refusal> {
    let collection = state.index(&name)?.collection.clone();
    let wanted = id.clone();
    let (found, _) = state.workers.run(&peer, move |_| collection.document(&wanted)).await?;
    let document = found?.ok_or_else(|| {
        let shown: String = id.chars().take(80).collect();
        Refusal::absent("no_such_document", format!("there is no document `{shown}`"))
    })?;
    let fastlane::Document { id, title, text, metadata, .. } = document;
    let metadata =
        SentMetadata::new(&metadata).map_err(|error| Refusal::internal(error.to_string()))?;
    let mut reply = Reply::new(&peer, &state)?;
    reply.json(&SentDocument { id, title, text, metadata })?;
    Ok(reply)
}
