//! The hits: where each matched, and how its score came about.

use std::borrow::Cow;
use std::ops::Range;

use fastlane::{Hit, Match, Metadata, Passage, window};
use maud::{Markup, html};

use super::format::{clipped, counted};
use super::marks::{Piece, pieces};
use super::view_model::{SearchedBy, ViewModel};
use super::{PageParams, format, links};

/// Bytes of a text that are shown whole; a page of books would not load.
const WHOLE: usize = 20_000;
/// Bytes of a value in the metadata.
const VALUE: usize = 120;
/// Lanes that are named next to each hit; for more, the table is clearer.
const NAMED: usize = 4;

/// All hits, or what to do where there are none.
pub(super) fn list(view: &ViewModel<'_>, documents: u64) -> Markup {
    let hits = &view.found.hits;
    if hits.is_empty() {
        return nothing(view.params, documents);
    }
    html! {
        ol.hits {
            @for (at, hit) in hits.iter().enumerate() {
                li { (HitView::new(view, hit).article(at + 1)) }
            }
        }
    }
}

fn nothing(params: &PageParams, documents: u64) -> Markup {
    let unfiltered = PageParams { filter: String::new(), ..params.clone() };
    let all = PageParams { lanes: Some(usize::MAX), ..params.clone() };
    html! {
        p.says {
            @if documents == 0 {
                "There are no documents in this index yet: " code { "fastlane index" } " adds some."
            } @else if !params.filter.is_empty() {
                "No document that matches the filter was found. Relax the filter, or "
                a href=(links::search(&unfiltered)) { "search without it" } "."
            } @else {
                "No document was found. Rephrase the query, or "
                a href=(links::search(&all)) { "let all tokens search" } "."
            }
        }
    }
}

/// A hit, with what several parts of it need.
struct HitView<'a> {
    view: &'a ViewModel<'a>,
    hit: &'a Hit,
    /// Title and text: matches count its bytes.
    text: Cow<'a, str>,
    title: Range<usize>,
    body: Range<usize>,
    /// Which token of the query is answered where.
    marks: Vec<(usize, Range<usize>)>,
}

impl<'a> HitView<'a> {
    fn new(view: &'a ViewModel<'a>, hit: &'a Hit) -> Self {
        let text = hit.document.full_text();
        let title = 0..hit.document.title.len();
        let body = text.len() - hit.document.text.len()..text.len();
        // tokens that the encoder added to the query are not words of the user
        let theirs = hit.matches.iter().filter(|pair| !view.special(pair.query) || view.one_view());
        let marks = theirs.filter_map(|pair| Some((pair.query, pair.bytes.clone()?))).collect();
        Self { view, hit, text, title, body, marks }
    }

    fn article(&self, rank: usize) -> Markup {
        let heading = format!("hit-{rank}");
        let (document, score) = (&self.hit.document, self.hit.score);
        html! {
            article.hit data-id=(self.key()) tabindex="-1" aria-labelledby=(heading) {
                p.rank { (rank) }
                header {
                    h2 id=(heading) {
                        @if document.title.is_empty() { (document.id) }
                        @else { (self.marked(self.title.clone())) }
                    }
                    p.score {
                        span.unseen { "score " }
                        data value=(format!("{score:.6}")) { (format::score(score)) }
                    }
                }
                (self.place())
                (self.snippet())
                (self.facts())
                (self.details())
            }
        }
    }

    /// Identifies the passage, so that the script finds it in the results of another search.
    fn key(&self) -> String {
        match self.hit.passage.number {
            0 | 1 => self.hit.document.id.clone(),
            number => format!("{}#{number}", self.hit.document.id),
        }
    }

    /// Where in its document the passage is.
    fn place(&self) -> Markup {
        let Passage { number, of, headings, page, .. } = &self.hit.passage;
        html! {
            @if *of > 1 || !headings.is_empty() {
                p.part {
                    @for heading in headings { span.heading { (heading) } " › " }
                    @if *of > 1 { "passage " (number) " of " (of) }
                    @if let Some(page) = page { ", page " (page) }
                }
            }
        }
    }

    /// The passage around the first token that a lane won, or around the best one.
    fn snippet(&self) -> Markup {
        let within = |pair: &&Match| {
            let bytes = pair.bytes.as_ref();
            bytes.is_some_and(|it| it.start >= self.body.start && it.end <= self.body.end)
                && self.marks.iter().any(|(token, _)| *token == pair.query)
        };
        let placed = || self.hit.matches.iter().filter(within);
        let won = placed().filter(|pair| self.won(pair.query));
        let won = won.min_by_key(|pair| self.view.lane(pair.query));
        let best = won.or_else(|| placed().max_by(|a, b| a.product.total_cmp(&b.product)));
        let place = best.and_then(|pair| pair.bytes.clone());
        let place = place.unwrap_or(self.body.start..self.body.start);
        let part = window(&self.text, self.body.clone(), place);
        html! {
            p.snippet {
                @if part.start > self.body.start { "…\u{a0}" }
                (self.marked(part.clone()))
                @if part.end < self.body.end { "\u{a0}…" }
            }
        }
    }

    /// A part of the text with its marks.
    fn marked(&self, part: Range<usize>) -> Markup {
        html! {
            @for piece in pieces(&self.text, part, &self.marks) {
                @if piece.tokens.is_empty() { (piece.text) } @else { (self.mark(&piece)) }
            }
        }
    }

    fn mark(&self, piece: &Piece<'_>) -> Markup {
        let won = piece.tokens.iter().any(|&token| self.won(token));
        let mut pairs = self.hit.matches.iter().filter(|it| piece.tokens.contains(&it.query));
        let loud = pairs.any(|pair| self.view.loud(pair));
        let class = if won { Some("won") } else { (!loud).then_some("weak") };
        html! {
            mark class=[class] data-token=(self.tokens(&piece.tokens)) { (piece.text) }
        }
    }

    /// Whether what answers this token was found by a lane.
    fn won(&self, token: usize) -> bool {
        self.view.one_view() || self.view.lane(token).is_some()
    }

    /// Tokens as the script reads them; one view of all tokens stands for each.
    fn tokens(&self, tokens: &[usize]) -> String {
        let all: Vec<usize> = (0..self.view.tokens()).collect();
        let tokens = if self.view.one_view() { &all } else { tokens };
        let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        tokens.join(" ")
    }

    /// The matches of the lanes, the id, and the metadata.
    fn facts(&self) -> Markup {
        let document = &self.hit.document;
        html! {
            div.facts {
                @for pair in self.won_pairs() { (self.pair(pair)) " " }
                code.id { (document.id) }
                @if !document.metadata.is_empty() { (metadata(&document.metadata)) }
            }
        }
    }

    /// The pairs of the lanes, best lane first.
    fn won_pairs(&self) -> Vec<&Match> {
        let mut pairs: Vec<&Match> =
            self.hit.matches.iter().filter(|pair| self.won(pair.query)).collect();
        pairs.sort_by_key(|pair| self.view.lane(pair.query));
        pairs.truncate(NAMED);
        pairs
    }

    fn pair(&self, pair: &Match) -> Markup {
        let bytes = pair.bytes.clone();
        let found = bytes.and_then(|bytes| self.text.get(bytes)).unwrap_or(&pair.token);
        let asks = if self.view.one_view() { "all tokens" } else { self.view.word(pair.query) };
        html! {
            span.pair {
                b { (asks) } " " span aria-hidden="true" { "→" } span.unseen { "found" } " "
                (found) " "
                data value=(format!("{:.4}", pair.product)) { (format!("{:.2}", pair.product)) }
            }
        }
    }

    /// The whole text, and the pairs that made the score.
    fn details(&self) -> Markup {
        let (body, all) = clipped(&self.text[self.body.clone()], WHOLE);
        let part = self.body.start..self.body.start + body.len();
        html! {
            details {
                summary { "Whole text" @if !self.hit.matches.is_empty() { ", and why" } }
                div.why {
                    p.text { (self.marked(part)) @if !all { "…" } }
                    @if !self.hit.matches.is_empty() { (self.table()) }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            table {
                caption { (self.caption()) }
                thead {
                    tr {
                        @for name in ["query", "alpha", "document", "product"] {
                            th scope="col" { (name) }
                        }
                    }
                }
                tbody { @for pair in &self.hit.matches { (self.row(pair)) } }
                @if self.adds_up() {
                    tfoot {
                        tr {
                            th scope="row" colspan="3" { "score" }
                            td { (format::score(self.hit.score)) }
                        }
                    }
                }
            }
        }
    }

    fn row(&self, pair: &Match) -> Markup {
        let (view, token) = (self.view, pair.query);
        let which = view.which(token);
        let (asks, alpha) = match view.one_view() {
            true => ("all tokens", 1.0),
            false => (view.spelled(token), view.alpha(token)),
        };
        html! {
            tr class=[self.won(token).then_some("lane")] data-token=(self.tokens(&[token])) {
                th scope="row" {
                    (asks) @if let Some(which) = &which { " " span.which { (which) } }
                }
                td { (format!("{alpha:.3}")) }
                td { (pair.token) }
                td { (format!("{:.3}", pair.product)) }
            }
        }
    }

    fn caption(&self) -> String {
        let pairs = self.hit.matches.len();
        let products = counted(pairs as u64, "product");
        match (self.view.params.rerank > 0, self.view.by) {
            _ if self.view.params.hybrid => format!("{products}; BM25 counts too"),
            (true, _) => format!("Sum of {products}"),
            (false, SearchedBy::Soft) => "Product of the one view".to_owned(),
            (false, SearchedBy::Lanes) if pairs == 1 => "Product of the lane".to_owned(),
            (false, SearchedBy::Lanes) => format!("Products of {pairs} lanes, weighed by alpha"),
            (false, SearchedBy::All) => format!("{products}, weighed by alpha"),
        }
    }

    /// Whether the rows explain the score: BM25 may count too, or rows may be missing.
    fn adds_up(&self) -> bool {
        let view = self.view;
        let intent = view.intent();
        let weight = |pair: &Match| match view.params.rerank > 0 || view.one_view() {
            true => 1.0,
            false => view.alpha(pair.query) / intent,
        };
        let sum: f32 = self.hit.matches.iter().map(|pair| weight(pair) * pair.product).sum();
        !view.params.hybrid && (sum - self.hit.score).abs() <= 0.001 * sum.abs().max(1.0)
    }
}

fn metadata(metadata: &Metadata) -> Markup {
    html! {
        dl {
            @for (name, value) in metadata {
                @let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                @let (start, all) = clipped(&value, VALUE);
                div { dt { (name) } dd { (start) @if !all { "…" } } }
            }
        }
    }
}
