//! The HTML pages: they use the same searches as the API.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fastlane::{Filter, Fusion, Lanes, Results, Search, SearchResult};

use super::Reply;
use super::openapi::document;
use super::search::{check_comparisons, check_filter, check_sizes, check_text};
use crate::error::Refusal;
use crate::page::{self, Failure, Frame, PageParams};
use crate::peer::Peer;
use crate::state::{Index, State};

/// The content security policy: no foreign sources, nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The parameters of a page; of a repeated parameter, the last value is used.
struct PageRequest {
    params: PageParams,
    /// Only the inside of `main`.
    fragment: bool,
}

impl PageRequest {
    fn new(query: Option<&str>, state: &State) -> Self {
        let first = state.indexes.keys().next().cloned().unwrap_or_default();
        let mut params = PageParams { index: first, ..PageParams::default() };
        let mut fragment = false;
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "q" => params.q = value.into_owned(),
                "index" => params.index = value.into_owned(),
                "lanes" if value == "all" => params.lanes = Some(usize::MAX),
                "lanes" => params.lanes = value.parse().ok().filter(|&lanes| lanes > 0),
                "rerank" => params.rerank = value.parse().unwrap_or(params.rerank),
                "hybrid" => params.hybrid = value == "1",
                "filter" => params.filter = value.into_owned(),
                "fragment" => fragment = value == "1",
                _ => {}
            }
        }
        Self { params, fragment }
    }
}

/// The search page.
pub(super) async fn home(
    Shared(state): Shared<Arc<State>>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
) -> Response {
    let PageRequest { params, fragment } = PageRequest::new(query.as_deref(), &state);
    let indexes: Vec<String> = state.indexes.keys().cloned().collect();
    let frame = Frame { indexes: &indexes, params: &params };
    let answered = answered((&state, &peer), &frame, fragment).await;
    let held = answered
        .and_then(|text| Reply::whole(&peer, &state, text).map_err(|refusal| (refusal, None)));
    match held {
        Ok(text) => html(StatusCode::OK, text),
        Err((refusal, at)) => failed(&frame, &refusal, at, fragment),
    }
}

/// The content of a search page; an error has the position in the filter, if there is one.
async fn answered(
    (state, peer): (&State, &Peer),
    frame: &Frame<'_>,
    fragment: bool,
) -> Result<String, (Refusal, Option<usize>)> {
    let params = frame.params;
    let index = state.index(&params.index).map_err(|refusal| (refusal, None))?;
    let documents = index.collection.stats().views.documents;
    if params.q.trim().is_empty() {
        return Ok(match fragment {
            true => page::home_fragment(frame, documents, &[]),
            false => page::home(frame, documents, &[]),
        });
    }
    let filter = match params.filter.trim() {
        "" => None,
        text => Some(
            check_filter(text, &state.limits)
                .map_err(|refusal| (refusal, None))?
                .parse::<Filter>()
                .map_err(|error| {
                    (
                        Refusal::bad(format!("the filter cannot be read: {error}")),
                        Some(error.position()),
                    )
                })
                .and_then(|filter| {
                    check_comparisons(filter, &state.limits).map_err(|refusal| (refusal, None))
                })?,
        ),
    };
    let found =
        searched((state, peer), index, params, filter).await.map_err(|refusal| (refusal, None))?;
    let has_router = index.collection.encoder().is_some_and(|encoder| encoder.has_router());
    let results = page::Results { found: &found, documents, has_router };
    Ok(match fragment {
        true => page::results_fragment(frame, &results),
        false => page::results(frame, &results),
    })
}

async fn searched(
    (state, peer): (&State, &Peer),
    index: &Arc<Index>,
    params: &PageParams,
    filter: Option<Filter>,
) -> Result<SearchResult, Refusal> {
    check_text(&params.q, &state.limits)?;
    check_sizes(0, params.rerank, &state.limits)?;
    let search = Search::text(&*params.q)
        .lanes(Lanes::from(params.lanes))
        .rerank(params.rerank)
        .fusion(params.hybrid.then_some(Fusion::Ranks))
        .filter(filter);
    let (collection, most) = (index.collection.clone(), state.limits.answer);
    let work =
        move |stop: &fastlane::Stop| fetched(collection.results(&search.stop(stop.clone()))?, most);
    let (found, waited) = state.workers.run(peer, work).await?;
    let found = found?;
    state.metrics.record_search(waited, &found.times);
    Ok(found)
}

/// Fetches the hits: the page shows whole texts, so they must fit into one response.
fn fetched(mut results: Results, most: usize) -> Result<SearchResult, Refusal> {
    let (mut hits, mut bytes) = (Vec::new(), 0);
    for hit in results.by_ref() {
        let hit = hit?;
        bytes += hit.document.title.len() + hit.document.text.len();
        if bytes > most {
            return Err(Refusal::too_large(format!(
                "the documents that were found have more than {most} bytes together: index them in \
                 passages, or ask for fewer over HTTP"
            )));
        }
        hits.push(hit);
    }
    Ok(SearchResult { hits, ..results.head().clone() })
}

/// The statistics of an index.
pub(super) async fn statistics(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
) -> Response {
    let PageRequest { params, .. } = PageRequest::new(query.as_deref(), &state);
    let indexes: Vec<String> = state.indexes.keys().cloned().collect();
    let frame = Frame { indexes: &indexes, params: &params };
    match state.index(&params.index) {
        Ok(index) => html(StatusCode::OK, page::statistics(&frame, &index.collection.stats())),
        Err(refusal) => failed(&frame, &refusal, None, false),
    }
}

/// The API reference page.
pub(super) async fn reference(Shared(state): Shared<Arc<State>>) -> Response {
    let params = PageRequest::new(None, &state).params;
    let indexes: Vec<String> = state.indexes.keys().cloned().collect();
    let frame = Frame { indexes: &indexes, params: &params };
    let api = serde_json::to_value(document(state.keys.is_some())).unwrap_or_default();
    html(StatusCode::OK, page::reference(&frame, &api))
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", page::STYLE)
}

pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", page::SCRIPT)
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", page::ICON)
}

fn failed(frame: &Frame<'_>, refusal: &Refusal, at: Option<usize>, fragment: bool) -> Response {
    let mut text = refusal.message.clone();
    if !text.ends_with('.') {
        text.push('.');
    }
    if let Some(first) = text.get(..1) {
        text = format!("{}{}", first.to_uppercase(), &text[1..]);
    }
    if fragment {
        return (refusal.status, text).into_response();
    }
    let status = refusal.status.as_u16();
    html(refusal.status, page::failure(frame, &Failure { status, said: &text, at, way_out: None }))
}

fn html(status: StatusCode, text: impl IntoResponse) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, text).into_response()
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], text).into_response()
}
