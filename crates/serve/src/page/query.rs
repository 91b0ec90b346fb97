//! The query as the router sees it: its tokens with their alpha, and a sentence that explains the
//! lanes.

use maud::{Markup, html};

use super::format::{counted, small};
use super::view_model::{SearchedBy, ViewModel};

/// A token with its bar, for searches and for the drawing that explains one.
pub(super) struct Bar<'a> {
    pub(super) word: &'a str,
    pub(super) alpha: f32,
    pub(super) special: bool,
    pub(super) piece: bool,
    /// `lane`, or which one, if it is one.
    pub(super) which: Option<&'a str>,
}

/// The heights that bars are drawn to.
#[derive(Clone, Copy)]
pub(super) struct Heights {
    pub(super) most: f32,
    pub(super) even: f32,
}

impl Heights {
    /// Where the line of the even share lies, from above.
    fn line(self) -> f32 {
        100.0 - 100.0 * self.even / self.most
    }
}

impl Bar<'_> {
    /// The content of a token's button.
    pub(super) fn draw(&self, heights: Heights) -> Markup {
        let (line, height) = (percent(heights.line()), 100.0 * self.alpha / heights.most);
        html! {
            svg.alpha aria-hidden="true" {
                line x2="1999" y1=(line) y2=(line) {}
                rect x="8" y=(percent(100.0 - height)) width="16" height=(percent(height)) {}
            }
            span.word { (self.word) }
            " "
            span.share {
                span.unseen { "alpha " } (format!("{:.2}", self.alpha))
                @if let Some(which) = self.which { " " span.which { (which) } }
            }
        }
    }
}

/// The end of the line that bars stand before, with its name.
pub(super) fn even(heights: Heights) -> Markup {
    let line = percent(heights.line());
    // a line near the top has no room above it
    let dy = if heights.line() < 40.0 { "15" } else { "-6" };
    html! {
        li.even {
            svg.alpha {
                line x2="1999" y1=(line) y2=(line) {}
                text x="100%" y=(line) dy=(dy) { (format!("even share {:.2}", heights.even)) }
            }
        }
    }
}

fn percent(value: f32) -> String {
    format!("{:.1}%", value.clamp(0.0, 100.0))
}

/// All tokens of the query; without a router there is nothing to draw bars of.
pub(super) fn strip(view: &ViewModel<'_>) -> Markup {
    let alpha = view.found.tokens.iter().map(|token| token.alpha);
    let most = alpha.fold(f32::MIN_POSITIVE, f32::max);
    let heights = Heights { most, even: view.even() };
    let label = match view.has_router {
        true => "The query as the router sees it, token by token",
        false => "The query, token by token",
    };
    html! {
        ol.query.flat[!view.has_router] aria-label=(label) {
            @for at in 0..view.tokens() { (token(view, at, heights)) }
            @if view.has_router { (even(heights)) }
        }
    }
}

fn token(view: &ViewModel<'_>, at: usize, heights: Heights) -> Markup {
    let which = view.which(at);
    let bar = Bar {
        word: view.word(at),
        alpha: view.alpha(at),
        special: view.special(at),
        piece: view.piece(at),
        which: which.as_deref(),
    };
    html! {
        li.token.lane[bar.which.is_some()].special[bar.special].piece[bar.piece] {
            button type="button" data-token=(at) title=(title(view, at)) {
                @if view.has_router { (bar.draw(heights)) } @else {
                    span.word { (bar.word) }
                    @if let Some(which) = bar.which { " " span.share { span.which { (which) } } }
                }
            }
        }
    }
}

/// The tooltip of a token.
fn title(view: &ViewModel<'_>, at: usize) -> String {
    let mut title = format!("{}: alpha {:.3}", view.spelled(at), view.alpha(at));
    if let Some(which) = view.which(at) {
        title.push_str(&format!(", {which}"));
        // a rerank gives all tokens equal weight
        if view.found.lanes.len() > 1 && view.params.rerank == 0 {
            let share = view.alpha(at) / view.intent();
            title.push_str(&format!(", {share:.2} of the score"));
        }
    }
    title
}

/// What the router did, whether the query was cut, and what the page cannot show.
pub(super) fn sentences(view: &ViewModel<'_>) -> Markup {
    let cut = view.found.cut as u64;
    html! {
        p.says {
            (sentence(view))
            @if cut > 0 {
                " The query is too long for the model, which ignored its last "
                (counted(cut, "byte")) "."
            }
            @if silent(view) {
                " The lookup uses one view of all tokens here: a rerank shows which tokens match."
            }
        }
    }
}

/// Whether the matching tokens are unknown.
fn silent(view: &ViewModel<'_>) -> bool {
    let hits = &view.found.hits;
    view.params.rerank == 0 && !hits.is_empty() && hits.iter().all(|hit| hit.matches.is_empty())
}

fn sentence(view: &ViewModel<'_>) -> Markup {
    let tokens = view.tokens();
    let lookups = small(view.found.lanes.len());
    match (view.by, view.has_router) {
        (SearchedBy::All, false) => html! {
            "This model has no router: all " (tokens) " tokens have equal weight, "
            "and all of them search."
        },
        (SearchedBy::All, true) => html! {
            "All " (tokens) " tokens search: " b { (tokens) " lookups" } ", as ColBERT does it."
        },
        (SearchedBy::Soft, _) => html! {
            "The router weighs all " (tokens) " tokens into one view: "
            b { "one lookup instead of " (tokens) } "."
        },
        (SearchedBy::Lanes, false) => html! {
            "This model has no router: all " (tokens) " tokens have equal weight, "
            "and the first of them "
            @if view.found.lanes.len() == 1 { "searches" } @else { "search" } ", "
            (names(view)) ": "
            b { (lookups) @if lookups == "one" { " lookup" } @else { " lookups" }
                " instead of " (tokens) } "."
        },
        (SearchedBy::Lanes, true) => html! {
            "The router puts " b { (format!("{:.0}%", 100.0 * view.intent())) }
            " of the intent on " (names(view))
            @if view.found.lanes.len() == 1 {
                ". That token alone is looked up: " b { "one lookup instead of " (tokens) } "."
            } @else {
                ": " b { (lookups) " lookups instead of " (tokens) } "."
            }
        },
    }
}

/// The lanes in a sentence: “ships”, “fog” and “weather”.
fn names(view: &ViewModel<'_>) -> Markup {
    let lanes = &view.found.lanes;
    let between = |at: usize| match lanes.len() - at {
        1 => "",
        2 => " and ",
        _ => ", ",
    };
    html! {
        @for (at, &lane) in lanes.iter().enumerate() {
            b.lane { "“" (view.word(lane)) "”" } (between(at))
        }
    }
}
