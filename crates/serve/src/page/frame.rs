//! The frame of every page: the head, the top bar, the line of keyboard shortcuts.

use maud::{DOCTYPE, Markup, html};

use super::{Frame, form, links};

/// The current page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Search,
    Statistics,
    Reference,
}

/// A page with the form; `at` is where its filter cannot be read, `said` what was found.
pub(super) fn searching(
    title: &str,
    frame: &Frame<'_>,
    at: Option<usize>,
    said: &str,
    inside: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, true))
            body {
                (top(frame, Page::Search))
                (form::form(frame.params, at))
                p #failed role="alert" {}
                main #results tabindex="-1" { (inside) }
                (foot(said))
            }
        }
    }
}

/// A page without a form and a script.
pub(super) fn reading(title: &str, frame: &Frame<'_>, here: Page, inside: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, false))
            body.plain {
                (top(frame, here))
                main #results tabindex="-1" { (inside) }
            }
        }
    }
}

fn head(title: &str, script: bool) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="icon" type="image/svg+xml" href="/icon.svg";
            link rel="stylesheet" href="/style.css";
            @if script { script type="module" src="/page.js" {} }
        }
    }
}

/// The name, the choice of an index where there are several and one can be searched here, and the
/// other pages. The script keeps the links on the index that is chosen.
fn top(frame: &Frame<'_>, here: Page) -> Markup {
    let several = frame.indexes.len() > 1;
    let index = &frame.params.index;
    let current = |page: Page| (page == here).then_some("page");
    html! {
        a.skip href="#results" { "Skip to the results" }
        header.top {
            a.name href=(links::home(frame)) data-index[several] { (logo()) "FastLane" }
            @if here == Page::Search && several {
                label.pick {
                    span.unseen { "Index" }
                    select name="index" form="ask" {
                        @for name in frame.indexes {
                            option value=(name) selected[name == index] { (name) }
                        }
                    }
                }
            }
            nav aria-label="Pages" {
                a href=(links::statistics(index)) data-index[several]
                    aria-current=[current(Page::Statistics)] {
                    "Statistics"
                }
                " "
                a href="/api" aria-current=[current(Page::Reference)] { "API" }
            }
        }
    }
}

fn logo() -> Markup {
    html! {
        svg viewBox="0 0 16 16" aria-hidden="true" {
            path d="M1 9h3v6H1zM12 7h3v8h-3z" {}
            path.lane d="M6.5 1h3v14h-3z" {}
        }
    }
}

fn foot(said: &str) -> Markup {
    html! {
        footer.foot {
            p #said.unseen role="status" { (said) }
            p.keys {
                span { kbd { "/" } " search" } " "
                span {
                    kbd { "↓" } " " kbd { "↑" } " from hit to hit, on a hit also "
                    kbd { "j" } " " kbd { "k" }
                }
                " "
                span { kbd { "Enter" } " open" } " "
                span { kbd { "Esc" } " back" }
            }
        }
    }
}
