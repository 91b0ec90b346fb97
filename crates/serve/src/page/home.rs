//! The start page: what a lane is, example queries, and the search options.

use maud::{Markup, html};

use super::format::counted;
use super::query::{Bar, Heights, even};
use super::{Frame, PageParams, links};

/// A question in tokens, to explain by; the shares are made up, as the page says.
const DRAWN: [(&str, f32); 12] = [
    ("[CLS]", 0.044),
    ("what", 0.031),
    ("warns", 0.164),
    ("ships", 0.337),
    ("off", 0.022),
    ("Dun", 0.052),
    ("more", 0.061),
    ("in", 0.016),
    ("bad", 0.058),
    ("weather", 0.171),
    ("?", 0.017),
    ("[SEP]", 0.027),
];
/// Its lane, and the token that goes on with the one before it.
const LANE: usize = 3;
const PIECE: usize = 6;

pub(super) fn inside(frame: &Frame<'_>, documents: u64, examples: &[String]) -> Markup {
    html! {
        h1 { "One token does the searching" }
        p.lead {
            "A question is split into tokens. A small router, learned from questions and their "
            "answers, gives each a share of the intent: " i { "alpha" } ". The token with the "
            "largest share is the " b.lane { "lane" } ", and its view alone is looked up."
        }
        (drawing())
        p.says {
            @if documents == 0 {
                "There are no documents in this index yet: " code { "fastlane index" } " adds some."
            } @else {
                (counted(documents, "document")) " can be found here."
            }
        }
        section.hints {
            @if !examples.is_empty() { (tries(frame.params, examples)) }
            (turns(!examples.is_empty()))
        }
    }
}

/// What a lane is, drawn as searches draw it.
fn drawing() -> Markup {
    let heights = Heights { most: DRAWN[LANE].1, even: 1.0 / DRAWN.len() as f32 };
    html! {
        figure.demo {
            ol.query aria-label="An example: the tokens of a question and their shares" {
                @for (at, (word, alpha)) in DRAWN.into_iter().enumerate() {
                    @let special = word.starts_with('[');
                    @let which = (at == LANE).then_some("lane");
                    @let piece = at == PIECE;
                    li.token.lane[which.is_some()].special[special].piece[piece] {
                        span.still { (Bar { word, alpha, special, piece, which }.draw(heights)) }
                    }
                }
                (even(heights))
            }
            p.finds {
                b.lane { "ships" } " " span aria-hidden="true" { "→" } " "
                span.unseen { "finds" }
            }
            ul.finds {
                @for word in ["ships", "boat", "mariners", "shore", "sea", "coast"] {
                    li { (word) } " "
                }
            }
            figcaption {
                "A drawing, not of this index, with shares made up for it. The one lookup finds "
                "what is close in meaning; the words need not be the same."
            }
        }
    }
}

fn tries(params: &PageParams, examples: &[String]) -> Markup {
    html! {
        div {
            h2 { "Try one" }
            ul.examples {
                @for q in examples {
                    @let search = PageParams { q: q.clone(), ..params.clone() };
                    li { a href=(links::search(&search)) { (q) } }
                }
            }
        }
    }
}

fn turns(after: bool) -> Markup {
    html! {
        div {
            h2 { @if after { "Then change an option" } @else { "Ask, then change an option" } }
            dl {
                div {
                    dt { "Lanes" }
                    dd {
                        "More tokens search. Each costs one more lookup; " i { "all" }
                        " is classic late interaction."
                    }
                }
                div {
                    dt { "Rerank" }
                    dd { "The best 100 are scored once more, exactly, with every token." }
                }
                div {
                    dt { "Words too" }
                    dd { "Fused with BM25, which matches names and numbers exactly." }
                }
                div {
                    dt { "Filter" }
                    dd {
                        "Only documents whose fields match: " code { "lang = en and year > 2020" }
                    }
                }
            }
            p { "The page then shows which hits moved, and what it cost." }
        }
    }
}
