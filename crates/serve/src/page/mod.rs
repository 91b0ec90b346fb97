//! The search page: what a search found, as HTML, and the assets beside it.
//!
//! Every text goes through the escaping of `html!`. A page needs no script; with one, the inside of
//! `main` is asked for alone and replaced, so each page has a function for that part too. What the
//! script reads of the markup is listed, and checked, in `tests/contract.rs`.

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
use frame::Here;

/// The style of all pages.
pub(crate) const STYLE: &str = include_str!("assets/style.css");
/// What makes results follow as one types.
pub(crate) const SCRIPT: &str = include_str!("assets/page.js");
/// The picture in the tab.
pub(crate) const ICON: &str = include_str!("assets/icon.svg");

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The query; empty while there is none.
    pub(crate) q: String,
    /// The index that is searched.
    pub(crate) index: String,
    /// How many tokens search: `usize::MAX` for all, the usual ones if nothing is said.
    pub(crate) lanes: Option<usize>,
    /// How many documents late interaction scores; 0 for none.
    pub(crate) rerank: usize,
    /// Whether words count too.
    pub(crate) hybrid: bool,
    /// Which documents may be found, as it was written.
    pub(crate) filter: String,
}

impl Default for Asked {
    /// What a name means that a request leaves out.
    fn default() -> Self {
        let (q, index, filter) = Default::default();
        Self { q, index, lanes: None, rerank: form::RERANK, hybrid: false, filter }
    }
}

/// What stands around every page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// The names of all indexes.
    pub(crate) indexes: &'a [String],
    /// What was asked.
    pub(crate) asked: &'a Asked,
}

/// An answer, and what one has to know of the index to explain it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a> {
    /// What was found.
    pub(crate) found: &'a SearchResult,
    /// How many documents the index has.
    pub(crate) documents: u64,
    /// Whether the model says which tokens carry the intent.
    pub(crate) has_router: bool,
}

/// The page before there is a query, with queries to try if there are any.
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
    let title = format!("{} – FastLane", frame.asked.q);
    let said = cost::said(results.found);
    frame::searching(&title, frame, None, &said, &answer(frame, results)).into_string()
}

/// The inside of its `main`.
pub(crate) fn results_fragment(frame: &Frame<'_>, results: &Results<'_>) -> String {
    answer(frame, results).into_string()
}

/// What an index consists of.
pub(crate) fn statistics(frame: &Frame<'_>, figures: &Stats) -> String {
    let title = format!("{}: statistics – FastLane", frame.asked.index);
    frame::reading(&title, frame, Here::Statistics, &statistics::inside(frame, figures))
        .into_string()
}

/// What programs may ask for; `api` is the description that they read.
pub(crate) fn reference(frame: &Frame<'_>, api: &serde_json::Value) -> String {
    frame::reading("API – FastLane", frame, Here::Reference, &reference::inside(api)).into_string()
}

/// What went wrong, and the ways on.
pub(crate) fn failure(frame: &Frame<'_>, failure: &Failure<'_>) -> String {
    let title = format!("{} – FastLane", failure.title());
    let inside = failure.inside(frame.asked);
    frame::searching(&title, frame, failure.at, "", &inside).into_string()
}

fn answer(frame: &Frame<'_>, results: &Results<'_>) -> Markup {
    let shown = view_model::ViewModel::new(frame.asked, results);
    html! {
        h1.unseen { "Results for “" (frame.asked.q) "”" }
        (query::strip(&shown))
        (query::sentences(&shown))
        (cost::cost(&shown))
        (cost::tally(results))
        (hits::list(&shown, results.documents))
    }
}
