//! Searches the lists for one lane: probe lists, scan codes, compute promising products exactly.
//!
//! An estimate errs by about `factor * |query|`. So the scan can select the views that may still
//! beat the best documents so far, up to a *margin* of some standard errors. These are compared
//! exactly at once. The better the first lists are, the fewer views need this.

use crate::codec::RowScratch;
use crate::index::{CoarseQuantizer, Lists, Reader, SearchError};
use crate::lists::{Entries, PartitionScratch, ProbeRequest, Scanner};
use fastlane_kernels::search::Kernel;

use super::Pair;
use super::damaged_rows;
use super::probe_plan::ProbePlan;
use super::scope::Scope;
use super::score::Scored;

/// Rows are prefetched this many views ahead.
const AHEAD: usize = 12;

/// The value of a list is its centroid's product plus this many radii: 3 to 5 find most with a
/// given number of lists.
const REACH: f32 = 4.0;

/// The search of one lane.
pub(super) struct ListSearch<'a> {
    reader: &'a Reader,
    scope: Scope<'a>,
    query: &'a [f32],
    /// The query, rotated as rows are.
    rotated_query: Vec<f32>,
    kernel: Kernel,
}

impl<'a> ListSearch<'a> {
    pub(super) fn new(reader: &'a Reader, scope: Scope<'a>, query: &'a [f32]) -> Self {
        let mut rotated_query = query.to_vec();
        // all segments of an index have the same codec
        if let Some(segment) = reader.generation.segments.first() {
            segment.views.rotate(&mut rotated_query);
        }
        Self { reader, scope, query, rotated_query, kernel: Kernel::best() }
    }

    /// The best documents by exact products; scans more lists while there are fewer than `wanted`.
    pub(super) fn best(
        &self,
        quantizer: &CoarseQuantizer,
        wanted: usize,
        mut plan: ProbePlan,
    ) -> Result<Vec<Scored>, SearchError> {
        let mut rotated = self.query.to_vec();
        quantizer.rotation.apply(&mut rotated);
        let mut scanner = Scanner::new(self.kernel, &rotated);
        scanner.set_margin(plan.margin);
        let mut probes = Vec::new();
        let lists = quantizer.partition.lists();
        // squares of large values overflow f32
        let squares: f64 = self.query.iter().map(|&value| f64::from(value).powi(2)).sum();
        let reach = REACH * squares.sqrt() as f32;
        loop {
            let scratch = &mut PartitionScratch::default();
            let count = plan.probes.min(lists);
            let request = ProbeRequest { query: self.query, reach, count };
            quantizer.partition.probe(request, scratch, &mut probes);
            for (score, list) in &mut probes {
                *score -= reach * quantizer.partition.radius(*list as usize);
            }
            let mut best = TopDocuments::new(wanted);
            self.visit(&scanner, &probes, &mut best)?;
            let best = best.finish();
            if best.len() >= wanted || plan.probes >= lists {
                return Ok(best.into_iter().map(|found| self.scored(found)).collect());
            }
            plan.probes = plan.probes.saturating_mul(2).max(1);
        }
    }

    /// Visits lists, the most promising first.
    fn visit(
        &self,
        scanner: &Scanner,
        probes: &[(f32, u32)],
        best: &mut TopDocuments,
    ) -> Result<(), SearchError> {
        let (mut found, mut views) = (Vec::new(), Vec::new());
        let mut parts = self.entries(probes).peekable();
        while let Some((segment, lists, entries)) = parts.next() {
            self.scope.step()?;
            if let Some((.., next)) = parts.peek() {
                scanner.prefetch(next);
            }
            found.clear();
            scanner.scan(&entries, best.threshold.next_down(), &mut found);
            views.clear();
            for &(_, place) in &found {
                views.extend(self.view(segment, lists, place)?);
            }
            self.compare(segment, &views, best)?;
        }
        Ok(())
    }

    /// The codes of some lists, in all segments.
    fn entries<'b>(
        &'b self,
        probes: &'b [(f32, u32)],
    ) -> impl Iterator<Item = (u32, &'b Lists, Entries<'b>)> {
        let segments = &self.reader.generation.segments;
        probes.iter().flat_map(move |&(base, list)| {
            (0..).zip(segments).filter_map(move |(segment, part)| {
                let lists = part.lists.as_ref()?;
                let places = lists.places(list as usize);
                let factors = lists.factors().get(places.clone())?;
                Some((segment, lists, Entries { blocks: lists.codes(), places, factors, base }))
            })
        })
    }

    /// The view of a code; `None` if its document may not be found.
    fn view(&self, segment: u32, lists: &Lists, place: u32) -> Result<Option<u32>, SearchError> {
        let part = self.reader.segment(segment);
        let Some(&view) = lists.numbers().get(place as usize) else {
            return Err(damaged_rows(&lists.path, format!("it has no place {place}")));
        };
        if part.deleted.count() == 0 && !self.scope.filters() {
            return Ok(Some(view));
        }
        let document = self.document(segment, view)? as usize;
        Ok(self.scope.allows(segment, part, document).then_some(view))
    }

    fn document(&self, segment: u32, view: u32) -> Result<u32, SearchError> {
        let rows = &self.reader.segment(segment).views;
        let document = rows.document(view as usize);
        let lost = || damaged_rows(&rows.path, format!("view {view} is of no document"));
        document.map(|document| document as u32).ok_or_else(lost)
    }

    /// Compares views exactly.
    fn compare(
        &self,
        segment: u32,
        views: &[u32],
        best: &mut TopDocuments,
    ) -> Result<(), SearchError> {
        let rows = &self.reader.segment(segment).views;
        let place = |view: u32| view as usize..view as usize + 1;
        let fetch = |&view: &u32| self.kernel.fetch(rows.bytes(place(view)).unwrap_or_default());
        let mut scratch = RowScratch::default();
        views.iter().take(AHEAD).for_each(fetch);
        for (index, &view) in views.iter().enumerate() {
            views.get(index + AHEAD).into_iter().for_each(fetch);
            let row = rows.read(place(view), &mut scratch);
            let lost = || damaged_rows(&rows.path, format!("it has no view {view}"));
            let mut product = [0.0];
            self.kernel.dots_half(&self.rotated_query, row.ok_or_else(lost)?, &mut product);
            if product[0] >= best.threshold {
                let document = self.document(segment, view)?;
                best.push(ScoredView { product: product[0], segment, document, view });
            }
        }
        Ok(())
    }

    fn scored(&self, view: ScoredView) -> Scored {
        let ScoredView { product, segment, document, view } = view;
        let views = self.reader.segment(segment).views.of(document as usize);
        let view = view as usize - views.map_or(0, |views| views.start);
        Scored { segment, document, score: product, pairs: vec![Pair { query: 0, view, product }] }
    }
}

/// A view with its exact product.
#[derive(Debug, Clone, Copy)]
struct ScoredView {
    product: f32,
    segment: u32,
    document: u32,
    view: u32,
}

/// The best documents so far.
struct TopDocuments {
    wanted: usize,
    /// The score of the worst one, once there are as many as wanted.
    threshold: f32,
    found: Vec<ScoredView>,
    /// The number of entries at which the worst ones are dropped.
    room: usize,
}

impl TopDocuments {
    fn new(wanted: usize) -> Self {
        let room = wanted.saturating_mul(2).saturating_add(32);
        Self { wanted, threshold: f32::NEG_INFINITY, found: Vec::new(), room }
    }

    fn push(&mut self, view: ScoredView) {
        self.found.push(view);
        if self.found.len() >= self.room {
            self.shrink();
        }
    }

    /// Keeps the best view of each document, and the best documents including ties.
    fn shrink(&mut self) {
        let document = |found: &ScoredView| (found.segment, found.document);
        self.found.sort_unstable_by(|a, b| {
            let best = b.product.total_cmp(&a.product).then(a.view.cmp(&b.view));
            document(a).cmp(&document(b)).then(best)
        });
        self.found.dedup_by_key(|found| document(found));
        if self.found.len() >= self.wanted {
            let order = |a: &ScoredView, b: &ScoredView| b.product.total_cmp(&a.product);
            let (_, last, _) = self.found.select_nth_unstable_by(self.wanted - 1, order);
            self.threshold = last.product;
            self.found.retain(|found| found.product >= self.threshold);
        }
        self.room = self.found.len().max(self.wanted).saturating_mul(2).saturating_add(32);
    }

    fn finish(mut self) -> Vec<ScoredView> {
        self.shrink();
        self.found
    }
}
