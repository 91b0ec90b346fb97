//! The error page: what is wrong, and what to do.

use maud::{Markup, html};

use super::format::ticked;
use super::{PageParams, links};

/// Why a request failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure<'a> {
    /// The status of the response.
    pub(crate) status: u16,
    /// What is wrong, in a sentence.
    pub(crate) said: &'a str,
    /// The first character of the filter that cannot be parsed, counted from 1.
    pub(crate) at: Option<usize>,
    /// A hint.
    pub(crate) way_out: Option<&'a str>,
}

impl Failure<'_> {
    pub(super) fn title(&self) -> &'static str {
        match (self.at, self.status) {
            (Some(_), _) => "The filter cannot be read",
            (None, 404) => "There is nothing here",
            (None, 429 | 503) => "Too much at once",
            (None, 500..) => "The search failed",
            _ => "This cannot be searched",
        }
    }

    pub(super) fn inside(&self, params: &PageParams) -> Markup {
        html! {
            h1 { (self.title()) }
            p #wrong.lead { (ticked(self.said)) }
            @if let Some(at) = self.at { (place(&params.filter, at)) }
            (self.ways(params))
        }
    }

    fn ways(&self, params: &PageParams) -> Markup {
        let unfiltered = PageParams { filter: String::new(), ..params.clone() };
        let again = !params.q.trim().is_empty();
        html! {
            p { "What you can do:" }
            ul.out {
                @if let Some(way_out) = self.way_out { li { (ticked(way_out)) } }
                @if self.at.is_some() {
                    li { "correct the filter above and search again;" }
                }
                @if again && !params.filter.is_empty() {
                    li { a href=(links::search(&unfiltered)) { "search without a filter" } ";" }
                }
                @if again && self.at.is_none() {
                    li { a href=(links::search(params)) { "search again" } ";" }
                }
                @if self.at.is_some() {
                    li {
                        "read " a href="/api" { "how filters are written" } ": "
                        @for sign in ["=", "!=", "<", "<=", ">", ">=", "in (…)", "exists field"] {
                            code { (sign) } " "
                        }
                        "joined by " code { "and" } ", " code { "or" } ", " code { "not" } "."
                    }
                } @else {
                    li { a href="/" { "start again" } "." }
                }
            }
        }
    }
}

/// The filter, with a mark below the first character that cannot be parsed.
fn place(filter: &str, at: usize) -> Markup {
    let before = at.saturating_sub(1).min(filter.chars().count());
    let start = filter.char_indices().nth(before).map_or(filter.len(), |(start, _)| start);
    let (read, rest) = filter.split_at(start);
    let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (wrong, rest) = rest.split_at(word);
    html! {
        pre.place aria-hidden="true" {
            code { (read) b { (wrong) } (rest) "\n" (" ".repeat(before)) b { "^" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_stands_below_the_character() {
        let found = place("größe = 1 und", 11).into_string();
        assert!(found.contains("größe = 1 <b>und</b>\n          <b>^</b>"), "{found}");
        let found = place("a <", 4).into_string();
        assert!(found.contains("a &lt;<b></b>\n   <b>^</b>"), "{found}");
        assert!(place("", 90).into_string().contains("<b></b>\n<b>^</b>"));
    }
}
