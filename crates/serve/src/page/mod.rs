//! The search page: results as HTML, and the assets.
//!
//! `html!` escapes every text. A page works without the script; the script fetches and replaces
//! only the inside of `main`, so each page has a function for that part too. The markup that the
//! script reads is listed, and checked, in `tests/contract.rs`.

mod cost;
mod failure;
mod form;
mod format;
mod frame;
mod hits;
mod home;
mod links;
mod marks;
mod query;
mod reference;
mod statistics;
#[cfg(test)]
mod tests;
mod view_model;

use fastlane::{SearchResult, Stats};
use maud::{Markup, html};

pub(crate) use failure::Failure;
use frame::Page;

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("assets/style.css");
/// The script that updates results while the user types.
pub(crate) const SCRIPT: &str = include_str!("assets/page.js");
/// The icon.
pub(crate) const ICON: &str = include_str!("assets/icon.svg");

/// The parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageParams {
    /// The query; empty while there is none.
    pub(crate) q: String,
    /// The index that is searched.
    pub(crate) index: String,
    /// Number of lanes: `usize::MAX` for all; none for the default of the model.
    pub(crate) lanes: Option<usize>,
    /// How many documents late interaction scores; 0 for none.
    pub(crate) rerank: usize,
    /// Whether the search is hybrid (with BM25).
    pub(crate) hybrid: bool,
    /// The filter, as it was typed.
    pub(crate) filter: String,
}

impl Default for PageParams {
    /// The defaults of absent parameters.
    fn default() -> Self {
        let (q, index, filter) = Default::default();
        Self { q, index, lanes: None, rerank: form::RERANK, hybrid: false, filter }
    }
}

/// The frame of every page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// The names of all indexes.
    pub(crate) indexes: &'a [String],
    /// The parameters of the request.
    pub(crate) params: &'a PageParams,
}

/// A search result, and the facts of the index that explain it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a> {
    /// The result.
    pub(crate) found: &'a SearchResult,
    /// How many documents the index has.
    pub(crate) documents: u64,
    /// Whether the model has a router.
    pub(crate) has_router: bool,
}

/// The start page, with example queries if there are any.
pub(crate) fn home(frame: &Frame<'_>, documents: u64, examples: &[String]) -> String {
    let inside = home::inside(frame, documents, examples);
    frame::searching("FastLane", frame, None, "", &inside).into_string()
}

/// The inside of its `main`.
pub(crate) fn home_fragment(frame: &Frame<'_>, documents: u64, examples: &[String]) -> String {
    home::inside(frame, documents, examples).into_string()
}

/// The page of an answer.
pub(crate) fn results(frame: &Frame<'_>, results: &Results<'_>) -> String {
    let title = format!("{} – FastLane", frame.params.q);
    let announcement = cost::announcement(results.found);
    frame::searching(&title, frame, None, &announcement, &answer(frame, results)).into_string()
}

/// The inside of its `main`.
pub(crate) fn results_fragment(frame: &Frame<'_>, results: &Results<'_>) -> String {
    answer(frame, results).into_string()
}

/// What an index consists of.
pub(crate) fn statistics(frame: &Frame<'_>, figures: &Stats) -> String {
    let title = format!("{}: statistics – FastLane", frame.params.index);
    frame::reading(&title, frame, Page::Statistics, &statistics::inside(frame, figures))
        .into_string()
}

/// The API reference; `api` is the OpenAPI description.
pub(crate) fn reference(frame: &Frame<'_>, api: &serde_json::Value) -> String {
    frame::reading("API – FastLane", frame, Page::Reference, &reference::inside(api)).into_string()
}

/// The error page: what is wrong, and what to do.
pub(crate) fn failure(frame: &Frame<'_>, failure: &Failure<'_>) -> String {
    let title = format!("{} – FastLane", failure.title());
    let inside = failure.inside(frame.params);
    frame::searching(&title, frame, failure.at, "", &inside).into_string()
}

fn answer(frame: &Frame<'_>, results: &Results<'_>) -> Markup {
    let view = view_model::ViewModel::new(frame.params, results);
    html! {
        h1.unseen { "Results for “" (frame.params.q) "”" }
        (query::strip(&view))
        (query::sentences(&view))
        (cost::cost(&view))
        (cost::tally(results))
        (hits::list(&view, results.documents))
    }
}
