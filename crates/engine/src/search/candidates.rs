//! Nominates the documents that are scored: by lists, by a scan of all views, or all documents.

use crate::encoder::Lane;
use crate::index::{CoarseQuantizer, FEWEST_VIEWS, Reader, SearchError, Segment};

use super::list_search::ListSearch;
use super::probe_plan::ProbePlan;
use super::scope::Scope;
use super::score::{Scored, Scorer};
use super::stop_check::StopCheck;
use super::{DocumentSet, Nominate, Request, USUAL_RECALL};

/// If more than one document in this many is wanted, all views are scanned.
const MOST: usize = 4;

/// Finds the best documents for lanes.
pub(super) struct CandidateSearch<'a> {
    reader: &'a Reader,
    request: &'a Request<'a>,
    scope: Scope<'a>,
}

impl<'a> CandidateSearch<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        request: &'a Request<'a>,
        stop_check: &'a StopCheck<'a>,
    ) -> Self {
        Self { reader, request, scope: Scope { filter: request.filter, stop_check } }
    }

    /// At least the `wanted` best documents, scored by the lanes, unordered.
    pub(super) fn best(&self, wanted: usize) -> Result<Vec<Scored>, SearchError> {
        match (self.request.nominate, &self.reader.generation.quantizer) {
            (Nominate::All, _) => self.all(),
            (Nominate::Scan, _) | (_, None) => self.scan(),
            // an explicit request for lists is followed, however few views there are
            (Nominate::Lists { probes, margin }, Some(quantizer)) => {
                self.by_lists(quantizer, wanted, ProbePlan { probes, margin })
            }
            (Nominate::Auto, Some(quantizer)) => self.by_recall(quantizer, wanted, USUAL_RECALL),
            (Nominate::Recall(recall), Some(quantizer)) => {
                self.by_recall(quantizer, wanted, recall)
            }
        }
    }

    /// Probes the lists needed for this recall, or scans all views if these are few or most
    /// documents are wanted.
    fn by_recall(
        &self,
        quantizer: &CoarseQuantizer,
        wanted: usize,
        recall: f32,
    ) -> Result<Vec<Scored>, SearchError> {
        let segments = &self.reader.generation.segments;
        let views: usize = segments.iter().map(|segment| segment.views.len()).sum();
        let documents: usize = segments.iter().map(|segment| segment.documents()).sum();
        let deleted: usize = segments.iter().map(|segment| segment.deleted.count()).sum();
        let there = self.request.filter.map_or(documents - deleted, DocumentSet::len);
        let left = there as f64 / documents.max(1) as f64;
        if recall == 1.0 || views as f64 * left < FEWEST_VIEWS as f64 || wanted >= there / MOST {
            return self.scan();
        }
        self.by_lists(quantizer, wanted, ProbePlan::of(recall, wanted, left))
    }

    fn allowed(&self) -> impl Iterator<Item = (u32, &'a Segment, u32)> + '_ {
        (0..).zip(&self.reader.generation.segments).flat_map(move |(number, segment)| {
            let segment: &'a Segment = segment;
            let documents = 0..segment.documents();
            let allowed = documents.filter(move |&one| self.scope.allows(number, segment, one));
            allowed.map(move |document| (number, segment, document as u32))
        })
    }

    fn all(&self) -> Result<Vec<Scored>, SearchError> {
        let scored =
            |(segment, _, document)| Scored { segment, document, score: 0.0, pairs: Vec::new() };
        Ok(self.allowed().map(scored).collect())
    }

    /// Scores all documents.
    fn scan(&self) -> Result<Vec<Scored>, SearchError> {
        let mut scorer = self.scorer();
        let mut all = Vec::new();
        for (segment, part, document) in self.allowed() {
            self.scope.step()?;
            if let Some((score, pairs)) = scorer.score(&part.views, document)? {
                all.push(Scored { segment, document, score, pairs });
            }
        }
        Ok(all)
    }

    fn scorer(&self) -> Scorer {
        Scorer::of_lanes(self.request.lanes, self.reader.settings().dim)
    }

    /// Each lane nominates its best documents, which are then scored for all lanes.
    fn by_lists(
        &self,
        quantizer: &CoarseQuantizer,
        wanted: usize,
        plan: ProbePlan,
    ) -> Result<Vec<Scored>, SearchError> {
        let [lane] = self.request.lanes else { return self.by_many_lanes(quantizer, wanted, plan) };
        self.by_one_lane(quantizer, lane, wanted, plan)
    }

    fn by_one_lane(
        &self,
        quantizer: &CoarseQuantizer,
        lane: &Lane<'_>,
        wanted: usize,
        plan: ProbePlan,
    ) -> Result<Vec<Scored>, SearchError> {
        let mut best =
            ListSearch::new(self.reader, self.scope, lane.view).best(quantizer, wanted, plan)?;
        for scored in &mut best {
            scored.score *= lane.weight;
            scored.pairs.iter_mut().for_each(|pair| pair.query = lane.token);
        }
        Ok(best)
    }

    fn by_many_lanes(
        &self,
        quantizer: &CoarseQuantizer,
        wanted: usize,
        plan: ProbePlan,
    ) -> Result<Vec<Scored>, SearchError> {
        let mut nominated = Vec::new();
        for lane in self.request.lanes {
            let mut best = self.by_one_lane(quantizer, lane, wanted, plan)?;
            self.reader.rank(&mut best, wanted.saturating_mul(2))?;
            nominated.extend(best.iter().map(|scored| (scored.segment, scored.document)));
        }
        nominated.sort_unstable();
        nominated.dedup();
        let mut scorer = self.scorer();
        let mut all = Vec::with_capacity(nominated.len());
        for (segment, document) in nominated {
            self.scope.step()?;
            let rows = &self.reader.segment(segment).views;
            if let Some((score, pairs)) = scorer.score(rows, document)? {
                all.push(Scored { segment, document, score, pairs });
            }
        }
        Ok(all)
    }
}
