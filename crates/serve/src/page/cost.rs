//! The cost of a search: a bar of its stages, and the number of results.

use std::time::Duration;

use fastlane::{SearchResult, Times};
use maud::{Markup, html};

use super::Results;
use super::format::{counted, milliseconds};
use super::view_model::ViewModel;

/// A stage of a search.
struct Stage {
    name: &'static str,
    us: u128,
    /// Whether the stage is on.
    on: bool,
}

/// The stages in running order; together they are the total.
fn stages(view: &ViewModel<'_>) -> [Stage; 6] {
    let Times { encode, route, probe, rerank, words, show } = view.found.times;
    let stage = |name, time: Duration, on| Stage { name, us: time.as_micros(), on };
    [
        stage("encode", encode, true),
        stage("route", route, view.has_router),
        stage("probe", probe, true),
        stage("rerank", rerank, view.params.rerank > 0),
        stage("words", words, view.params.hybrid),
        stage("show", show, true),
    ]
}

/// The bar and its numbers.
pub(super) fn cost(view: &ViewModel<'_>) -> Markup {
    let stages = stages(view);
    let total: u128 = stages.iter().map(|stage| stage.us).sum();
    let starts = stages.iter().scan(0, |at, stage| {
        let start = *at;
        *at += stage.us;
        Some(start)
    });
    html! {
        div.cost {
            svg.time viewBox=(format!("0 0 {} 10", total.max(1))) preserveAspectRatio="none"
                aria-hidden="true" {
                @for (stage, start) in stages.iter().zip(starts).filter(|(stage, _)| stage.us > 0) {
                    rect class=(stage.name) x=(start) width=(stage.us) height="10" {}
                }
            }
            dl {
                @for stage in &stages { (row(stage)) }
                div.total data-stage="total" data-us=(total) {
                    dt { "total" } dd { (milliseconds(total)) " ms" }
                }
            }
        }
    }
}

fn row(stage: &Stage) -> Markup {
    html! {
        div class=[(!stage.on).then_some("off")] data-stage=(stage.name) data-us=(stage.us) {
            dt {
                svg.key viewBox="0 0 10 10" aria-hidden="true" {
                    rect class=(stage.name) width="10" height="10" {}
                }
                (stage.name)
            }
            dd { @if stage.on { (milliseconds(stage.us)) } @else { "off" } }
        }
    }
}

/// Results of documents; the script announces the same to screen readers.
pub(super) fn tally(results: &Results<'_>) -> Markup {
    let hits = counted(results.found.hits.len() as u64, "result");
    html! {
        p.tally data-said=(announcement(results.found)) {
            span { (hits) " of " (counted(results.documents, "document")) }
        }
    }
}

/// `8 results in 4.3 ms`.
pub(super) fn announcement(found: &SearchResult) -> String {
    let hits = counted(found.hits.len() as u64, "result");
    format!("{hits} in {} ms", milliseconds(found.times.total().as_micros()))
}
