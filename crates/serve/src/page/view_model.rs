//! A search result for the pages: which views searched, and which pairs of tokens to show.

use fastlane::{LaneKind, Match, SearchResult};

use super::{PageParams, Results};

/// What searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchedBy {
    /// The tokens that carry most of the intent.
    Lanes,
    /// One view of all tokens.
    Soft,
    /// Every token.
    All,
}

impl SearchedBy {
    /// The default number of lanes depends on the model.
    fn of(found: &SearchResult) -> Self {
        match found.lane {
            LaneKind::Soft => Self::Soft,
            LaneKind::All => Self::All,
            LaneKind::Hard if found.lanes.len() > 1 && found.lanes.len() >= found.tokens.len() => {
                Self::All
            }
            LaneKind::Hard => Self::Lanes,
        }
    }
}

/// One search, for those that draw parts of it.
pub(super) struct ViewModel<'a> {
    pub(super) params: &'a PageParams,
    pub(super) found: &'a SearchResult,
    pub(super) has_router: bool,
    pub(super) by: SearchedBy,
    scale: Scale,
}

impl<'a> ViewModel<'a> {
    pub(super) fn new(params: &'a PageParams, results: &Results<'a>) -> Self {
        let Results { found, has_router, .. } = *results;
        let by = SearchedBy::of(found);
        Self { params, found, has_router, by, scale: Scale::of(found) }
    }

    /// How many tokens the query has.
    pub(super) fn tokens(&self) -> usize {
        self.found.tokens.len()
    }

    /// The share of each token if all had equal weight.
    pub(super) fn even(&self) -> f32 {
        1.0 / self.tokens().max(1) as f32
    }

    pub(super) fn alpha(&self, token: usize) -> f32 {
        self.found.tokens.get(token).map_or(0.0, |token| token.alpha)
    }

    /// The share of all lanes together.
    pub(super) fn intent(&self) -> f32 {
        self.found.lanes.iter().map(|&lane| self.alpha(lane)).sum()
    }

    /// A token as the vocabulary spells it.
    pub(super) fn spelled(&self, token: usize) -> &'a str {
        self.found.tokens.get(token).map_or("", |token| &token.token)
    }

    /// A token as the query spells it; those that the encoder added as the vocabulary does.
    pub(super) fn word(&self, token: usize) -> &'a str {
        let bytes = self.found.tokens.get(token).and_then(|token| token.bytes.clone());
        let word = bytes.and_then(|bytes| self.params.q.get(bytes)).map(str::trim);
        word.filter(|word| !word.is_empty()).unwrap_or_else(|| self.spelled(token))
    }

    /// Whether the encoder added the token.
    pub(super) fn special(&self, token: usize) -> bool {
        self.found.tokens.get(token).is_none_or(|token| token.bytes.is_none())
    }

    /// Whether the token goes on with the word before it, whatever the vocabulary's sign for that.
    pub(super) fn piece(&self, token: usize) -> bool {
        let bytes = |token: usize| self.found.tokens.get(token)?.bytes.clone();
        let text = |token| bytes(token).and_then(|bytes| self.params.q.get(bytes));
        let Some(before) = token.checked_sub(1) else { return false };
        let joined = bytes(before).zip(bytes(token)).is_some_and(|(a, b)| a.end == b.start);
        let last = text(before).and_then(|text| text.chars().next_back());
        let first = text(token).and_then(|text| text.chars().next());
        joined && [last, first].iter().all(|it| it.is_some_and(char::is_alphanumeric))
    }

    /// Which lane the token is, counted from 0, if it is one; none where all tokens search.
    pub(super) fn lane(&self, token: usize) -> Option<usize> {
        let lanes = &self.found.lanes;
        lanes.iter().position(|&lane| self.by == SearchedBy::Lanes && lane == token)
    }

    /// `lane`, or `lane 2` where there are several.
    pub(super) fn which(&self, token: usize) -> Option<String> {
        let lane = self.lane(token)?;
        let several = self.found.lanes.len() > 1;
        Some(if several { format!("lane {}", lane + 1) } else { "lane".to_owned() })
    }

    /// Whether what was compared is one view of all tokens, and not tokens.
    pub(super) fn one_view(&self) -> bool {
        self.by == SearchedBy::Soft && self.params.rerank == 0
    }

    /// Whether a pair of tokens is worth a line without being asked for.
    ///
    /// The token of the query has to carry its even share at least, and the document has to answer
    /// it half as well as the best hit of the page does, from the least product of the page on.
    /// Both are measured within the search: models differ in what products mean.
    pub(super) fn loud(&self, pair: &Match) -> bool {
        // alpha is rounded, and without a router every share is the even one
        self.alpha(pair.query) >= 0.999 * self.even() && self.scale.reaches(pair)
    }
}

/// What products the hits of a page have.
struct Scale {
    least: f32,
    /// The best of each token of the query.
    best: Vec<f32>,
}

impl Scale {
    fn of(found: &SearchResult) -> Self {
        let mut scale =
            Self { least: f32::INFINITY, best: vec![f32::NEG_INFINITY; found.tokens.len()] };
        for pair in found.hits.iter().flat_map(|hit| &hit.matches) {
            scale.least = scale.least.min(pair.product);
            if let Some(best) = scale.best.get_mut(pair.query) {
                *best = best.max(pair.product);
            }
        }
        scale
    }

    fn reaches(&self, pair: &Match) -> bool {
        let best = self.best.get(pair.query).copied().unwrap_or(f32::INFINITY);
        pair.product - self.least >= (best - self.least) / 2.0
    }
}
