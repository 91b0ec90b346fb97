//! One lane through the lists: probe, scan codes, compare the best views exactly.

use crate::index::{Reader, SearchError};
use crate::kernels::{Kernel, f16};
use crate::lists::{Entries, PartitionScratch, Scanner};

use super::Pair;
use super::damaged_rows;
use super::nominate::Nominator;
use super::score::Scored;

/// Rows are asked for so many before they are needed.
const AHEAD: usize = 8;

/// How hard lists are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effort {
    /// How many lists.
    pub(super) probes: usize,
    /// How many views are compared exactly.
    pub(super) rescore: usize,
}

impl Effort {
    /// What finds 98 of the best 100 on a million views of text; `share` of documents may be found.
    pub(super) fn of(reader: &Reader, wanted: usize, share: f64) -> Self {
        let lists = reader.generation.space.as_ref().map_or(1, |space| space.partition.lists());
        let wanted = wanted as f64 / share.max(1e-3);
        let probes = (lists as f64 / 4096.0).sqrt() * 8.0 * wanted.max(1.0).sqrt();
        let rescore = 60.0 + 12.0 * wanted;
        Self { probes: (probes as usize).clamp(4, lists), rescore: rescore as usize }
    }

    fn doubled(self) -> Self {
        Self { probes: self.probes.saturating_mul(2), rescore: self.rescore.saturating_mul(2) }
    }
}

/// A view that may be among the best.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    estimate: f32,
    segment: u32,
    /// Its place among the codes of the segment.
    place: u32,
}

/// One lane's way.
pub(super) struct Probing<'a> {
    reader: &'a Reader,
    nominator: &'a Nominator<'a>,
    query: &'a [f32],
    kernel: Kernel,
}

impl<'a> Probing<'a> {
    pub(super) fn new(reader: &'a Reader, nominator: &'a Nominator<'a>, query: &'a [f32]) -> Self {
        Self { reader, nominator, query, kernel: Kernel::best() }
    }

    /// The best documents by exact products; more effort while there are fewer than `wanted`.
    pub(super) fn best(
        &self,
        wanted: usize,
        mut effort: Effort,
    ) -> Result<Vec<Scored>, SearchError> {
        let space = self.reader.generation.space.as_ref().expect("only an index with lists probes");
        let mut rotated = self.query.to_vec();
        space.rotation.apply(&mut rotated);
        let scanner = Scanner::new(self.kernel, &rotated);
        let mut probes = Vec::new();
        let lists = space.partition.lists();
        let views = self.reader.generation.segments.iter().map(|part| part.views.len()).sum();
        loop {
            let scratch = &mut PartitionScratch::default();
            space.partition.probe(self.query, effort.probes.min(lists), scratch, &mut probes);
            let candidates = self.scan(&scanner, &probes, effort.rescore)?;
            let best = self.best_of_documents(candidates)?;
            if best.len() >= wanted || (effort.probes >= lists && effort.rescore >= views) {
                return Ok(best);
            }
            effort = effort.doubled();
        }
    }

    /// The views of some lists with the best estimates.
    fn scan(
        &self,
        scanner: &Scanner,
        probes: &[(f32, u32)],
        most: usize,
    ) -> Result<Vec<Candidate>, SearchError> {
        let mut best = Best::new(most);
        let mut found = Vec::new();
        let parts: Vec<_> = self.entries(probes).collect();
        for (index, (segment, entries)) in parts.iter().enumerate() {
            if let Some((_, next)) = parts.get(index + 1) {
                scanner.expect(next);
            }
            found.clear();
            scanner.scan(entries, best.threshold, &mut found);
            for &(estimate, place) in &found {
                if self.may_find(*segment, place)? {
                    best.push(Candidate { estimate, segment: *segment, place });
                }
            }
        }
        Ok(best.finish())
    }

    /// The codes of some lists, in all segments.
    fn entries<'b>(&'b self, probes: &'b [(f32, u32)]) -> impl Iterator<Item = (u32, Entries<'b>)> {
        let segments = &self.reader.generation.segments;
        probes.iter().flat_map(move |&(base, list)| {
            (0..).zip(segments).filter_map(move |(segment, part)| {
                let lists = part.lists.as_ref()?;
                let places = lists.places(list as usize);
                let factors = lists.factors().get(places.clone())?;
                Some((segment, Entries { blocks: lists.codes(), places, factors, base }))
            })
        })
    }

    /// Whether the document of a code may be found; not looked up where all may.
    fn may_find(&self, segment: u32, place: u32) -> Result<bool, SearchError> {
        let part = self.reader.segment(segment);
        if part.deleted.count() == 0 && !self.nominator.filters() {
            return Ok(true);
        }
        let (_, document) = self.view(segment, place)?;
        Ok(self.nominator.allows(segment, part, document as usize))
    }

    /// The view that a code is of, and its document.
    fn view(&self, segment: u32, place: u32) -> Result<(u32, u32), SearchError> {
        let part = self.reader.segment(segment);
        let lists = part.lists.as_ref().expect("a code comes from a list");
        let view = lists.numbers().get(place as usize).copied();
        let found = view.and_then(|view| Some((view, part.views.document(view as usize)? as u32)));
        found.ok_or_else(|| damaged_rows(&lists.path, format!("place {place} names no view")))
    }

    /// Compares views exactly, and keeps the best of each document.
    fn best_of_documents(&self, candidates: Vec<Candidate>) -> Result<Vec<Scored>, SearchError> {
        let mut views = Vec::with_capacity(candidates.len());
        for Candidate { segment, place, .. } in candidates {
            let (view, document) = self.view(segment, place)?;
            views.push((segment, document, view));
        }
        // neighbours in the file are neighbours in memory
        views.sort_unstable();
        let mut best: Vec<Scored> = Vec::new();
        for (index, &(segment, document, view)) in views.iter().enumerate() {
            if let Some(&(segment, _, view)) = views.get(index + AHEAD) {
                self.kernel.fetch(self.row(segment, view)?);
            }
            let product = self.product(segment, view)?;
            match best.last_mut() {
                Some(last) if (last.segment, last.document) == (segment, document) => {
                    if product > last.score {
                        last.score = product;
                        last.pairs[0] = self.pair(segment, document, view, product);
                    }
                }
                _ => {
                    let pairs = vec![self.pair(segment, document, view, product)];
                    best.push(Scored { segment, document, score: product, pairs });
                }
            }
        }
        Ok(best)
    }

    fn pair(&self, segment: u32, document: u32, view: u32, product: f32) -> Pair {
        let first = self.reader.segment(segment).views.of(document as usize);
        let view = view as usize - first.map_or(0, |views| views.start);
        Pair { query: 0, view, product }
    }

    fn product(&self, segment: u32, view: u32) -> Result<f32, SearchError> {
        let mut product = [0.0];
        self.kernel.dots_half(self.query, self.row(segment, view)?, &mut product);
        Ok(product[0])
    }

    fn row(&self, segment: u32, view: u32) -> Result<&'a [f16], SearchError> {
        let rows = &self.reader.segment(segment).views;
        let view = view as usize;
        let row = rows.rows(view..view + 1);
        row.ok_or_else(|| damaged_rows(&rows.path, format!("it has no view {view}")))
    }
}

/// The best candidates so far, and what a better one must exceed.
struct Best {
    most: usize,
    threshold: f32,
    candidates: Vec<Candidate>,
}

impl Best {
    fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, threshold: f32::NEG_INFINITY, candidates: Vec::new() }
    }

    fn push(&mut self, candidate: Candidate) {
        self.candidates.push(candidate);
        if self.candidates.len() >= self.most.saturating_mul(2) {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        if self.candidates.len() > self.most {
            let order = |a: &Candidate, b: &Candidate| {
                let place = |candidate: &Candidate| (candidate.segment, candidate.place);
                b.estimate.total_cmp(&a.estimate).then_with(|| place(a).cmp(&place(b)))
            };
            self.candidates.select_nth_unstable_by(self.most - 1, order);
            self.candidates.truncate(self.most);
            self.threshold = self.candidates[self.most - 1].estimate;
        }
    }

    fn finish(mut self) -> Vec<Candidate> {
        self.shrink();
        self.candidates
    }
}
