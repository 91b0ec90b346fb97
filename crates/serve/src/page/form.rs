//! The form: a query, and the knobs of a search.

use maud::{Markup, html};

use super::{Asked, links};

/// How many documents are scored once more unless something else is said.
pub(super) const RERANK: usize = 100;

/// What a pointer that rests on the lanes is told.
const LANES: &str = "How many tokens search: as the model is used to, so many of the best, or all";

/// The form as it was sent; `at` is where the filter cannot be read.
///
/// A box that is not ticked sends nothing, so that a hidden 0 stands before each: the last value of
/// a name holds.
pub(super) fn form(asked: &Asked, at: Option<usize>) -> Markup {
    html! {
        form #ask action="/" method="get" role="search" autocomplete="off" {
            div.line {
                label.unseen for="q" { "Search" }
                input #q type="search" name="q" value=(asked.q) placeholder="Ask a question"
                    autofocus spellcheck="false" enterkeyhint="search";
                button { "Search" }
            }
            // folded on small screens only; open where a knob is not as usual, or is wrong
            details.options open[turned(asked) || at.is_some()] {
                summary { "Options" }
                (knobs(asked, at))
            }
        }
    }
}

/// Whether a knob stands elsewhere than usual.
fn turned(asked: &Asked) -> bool {
    let usual = Asked { q: asked.q.clone(), index: asked.index.clone(), ..Asked::default() };
    *asked != usual
}

fn knobs(asked: &Asked, at: Option<usize>) -> Markup {
    let rerank = if asked.rerank > 0 { asked.rerank } else { RERANK };
    let wrong = at.map(|_| "wrong");
    html! {
        div.knobs {
            (lanes(asked.lanes))
            input type="hidden" name="rerank" value="0";
            label.tick
                title={ "Scores the best " (rerank) " once more, exactly, with every token" } {
                input type="checkbox" name="rerank" value=(rerank) checked[asked.rerank > 0];
                " Rerank " (rerank)
            }
            input type="hidden" name="hybrid" value="0";
            label.tick title="Fuses the results with those of BM25" {
                input type="checkbox" name="hybrid" value="1" checked[asked.hybrid];
                " Words too"
            }
            label.filter {
                "Filter "
                input type="text" name="filter" value=(asked.filter)
                    placeholder="lang = en and year > 2020" spellcheck="false"
                    autocapitalize="none" aria-invalid=[wrong.map(|_| "true")]
                    aria-describedby=[wrong];
            }
        }
    }
}

fn lanes(asked: Option<usize>) -> Markup {
    let mut choices = vec![None, Some(1), Some(2), Some(4), Some(usize::MAX)];
    // somebody may have written another number into the address
    if !choices.contains(&asked) {
        choices.push(asked);
        choices.sort_unstable();
    }
    html! {
        fieldset.lanes {
            legend title=(LANES) { "Lanes" }
            @for choice in choices {
                @let value = links::lanes(choice);
                label {
                    input type="radio" name="lanes" value=(value) checked[choice == asked];
                    span { (value) }
                }
            }
        }
    }
}
