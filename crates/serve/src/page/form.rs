//! The form: a query, and the search options.

use maud::{Markup, html};

use super::{PageParams, links};

/// The default number of documents to rerank.
pub(super) const RERANK: usize = 100;

/// The tooltip of the lanes.
const LANES: &str = "How many tokens search: the model's default, some of the best, or all";

/// The form as it was sent; `at` is where the filter cannot be read.
///
/// An unchecked box sends nothing, so a hidden 0 precedes each: the last value of a name is used.
pub(super) fn form(params: &PageParams, at: Option<usize>) -> Markup {
    html! {
        form #ask action="/" method="get" role="search" autocomplete="off" {
            div.line {
                label.unseen for="q" { "Search" }
                input #q type="search" name="q" value=(params.q) placeholder="Ask a question"
                    autofocus spellcheck="false" enterkeyhint="search";
                button { "Search" }
            }
            // folded on small screens only; open if an option has another value than its default,
            // or is wrong
            details.options open[turned(params) || at.is_some()] {
                summary { "Options" }
                (knobs(params, at))
            }
        }
    }
}

/// Whether an option differs from its default.
fn turned(params: &PageParams) -> bool {
    let usual =
        PageParams { q: params.q.clone(), index: params.index.clone(), ..PageParams::default() };
    *params != usual
}

fn knobs(params: &PageParams, at: Option<usize>) -> Markup {
    let rerank = if params.rerank > 0 { params.rerank } else { RERANK };
    let wrong = at.map(|_| "wrong");
    html! {
        div.knobs {
            (lanes(params.lanes))
            input type="hidden" name="rerank" value="0";
            label.tick
                title={ "Scores the best " (rerank) " once more, exactly, with every token" } {
                input type="checkbox" name="rerank" value=(rerank) checked[params.rerank > 0];
                " Rerank " (rerank)
            }
            input type="hidden" name="hybrid" value="0";
            label.tick title="Fuses the results with those of BM25" {
                input type="checkbox" name="hybrid" value="1" checked[params.hybrid];
                " Words too"
            }
            label.filter {
                "Filter "
                input type="text" name="filter" value=(params.filter)
                    placeholder="lang = en and year > 2020" spellcheck="false"
                    autocapitalize="none" aria-invalid=[wrong.map(|_| "true")]
                    aria-describedby=[wrong];
            }
        }
    }
}

fn lanes(chosen: Option<usize>) -> Markup {
    let mut choices = vec![None, Some(1), Some(2), Some(4), Some(usize::MAX)];
    // the URL may have another number
    if !choices.contains(&chosen) {
        choices.push(chosen);
        choices.sort_unstable();
    }
    html! {
        fieldset.lanes {
            legend title=(LANES) { "Lanes" }
            @for choice in choices {
                @let value = links::lanes(choice);
                label {
                    input type="radio" name="lanes" value=(value) checked[choice == chosen];
                    span { (value) }
                }
            }
        }
    }
}
