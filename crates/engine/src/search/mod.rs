//! Searches an index: lanes nominate documents, views score them, hits explain the scores.
//!
//! ```text
//! request → [probe lists → scan codes → exact products] or [all views] → best view of a document
//!         → [sum-max over token views] → hits
//! ```
//!
//! A search counts distinct documents: it fetches more views until there are `k` documents, or no
//! views are left. Equal scores rank by id, descending, as in trec_eval. So the order depends on
//! the documents alone, and a search for few is a prefix of a search for many.

mod candidates;
mod filter;
mod list_search;
mod probe_plan;
mod scope;
mod score;
mod stop_check;

use std::time::{Duration, Instant};

use crate::encoder::Lane;
use crate::index::{Reader, SearchError};
use crate::{TokenMatrix, index::Segment};

pub use filter::DocumentSet;

use candidates::CandidateSearch;
use score::Scored;
use stop_check::StopCheck;

/// The largest value in a query.
const MOST: f32 = 1e30;

/// The default recall: the share of the best documents that is found.
const USUAL_RECALL: f32 = 0.98;

/// Several lanes without a rerank look for at least this many documents, so that the best ten are
/// the first ten of the best hundred.
const LEAST_OF_MANY: usize = 100;
/// Each of several lanes nominates this many times the number of wanted documents.
const DEPTH_OF_MANY: usize = 4;

/// A search request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The views that search, and their weights; of the dimension of the searched views. Without
    /// lanes nothing is found, unless all documents are nominated.
    pub lanes: &'a [Lane<'a>],
    /// The number of documents to return.
    pub k: usize,
    /// How documents are nominated.
    pub nominate: Nominate,
    /// Rescores the best documents by late interaction.
    pub rerank: Option<Rerank<'a>>,
    /// A filter: the only documents that may be found.
    pub filter: Option<&'a DocumentSet>,
}

/// How documents are nominated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Nominate {
    /// As [`Recall`](Self::Recall) of 0.98.
    #[default]
    Auto,
    /// Probes as many lists as find this share, above 0, of the best documents, on average over
    /// queries. Scans all views for 1, where there are no lists, where a filter leaves few
    /// documents, and where a large part of the documents is wanted.
    Recall(f32),
    /// Probes a given number of lists first, even where few documents may be found.
    Lists {
        /// The number of lists to probe.
        probes: usize,
        /// A view is compared exactly unless its estimate falls below the best documents so far by
        /// more than this many standard errors. Infinite: all views are compared.
        margin: f32,
    },
    /// Computes exact products with all views.
    Scan,
    /// Nominates all documents: for late interaction over the whole index.
    All,
}

/// Late interaction: the best product with a token view for each query view, added up.
///
/// Where documents have no separate token views, the searched views are their token views. An index
/// of lane views only refuses it ([`IndexSettings::lanes_only`](crate::IndexSettings::lanes_only)).
#[derive(Debug, Clone, Copy)]
pub struct Rerank<'a> {
    /// All views of the query, of the dimension of the token views.
    pub query: &'a TokenMatrix,
    /// The weight of each view; equal if absent.
    pub weights: Option<&'a [f32]>,
    /// The number of nominated documents to score; at least `k` are scored.
    pub documents: usize,
}

impl<'a> Request<'a> {
    /// Requests the `k` best documents by lanes, with the default recall.
    pub fn new(lanes: &'a [Lane<'a>], k: usize) -> Self {
        Self { lanes, k, nominate: Nominate::Auto, rerank: None, filter: None }
    }

    /// Requests the `k` best documents by late interaction with all documents.
    pub fn sum_max(query: &'a TokenMatrix, k: usize) -> Self {
        let rerank = Some(Rerank { query, weights: None, documents: usize::MAX });
        Self { lanes: &[], k, nominate: Nominate::All, rerank, filter: None }
    }
}

/// The duration of the stages of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchTimes {
    /// Nomination by lanes.
    pub probe: Duration,
    /// Scoring by late interaction.
    pub rerank: Duration,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its score.
    pub score: f32,
    /// The pairs that make up the score: the best view for each lane, or for each rerank view.
    pub pairs: Vec<Pair>,
}

/// A query view and the document view with the largest product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The index of the query token.
    pub query: usize,
    /// The index of the document view: among token views after a rerank, else among searched views.
    /// It is counted as the document was added, before a [`Reduction`](crate::Reduction): the
    /// position of its token.
    pub view: usize,
    /// Their product.
    pub product: f32,
}

impl Reader {
    /// Finds the best documents, best first.
    ///
    /// Fewer than `k` are returned if no more may be found.
    ///
    /// # Errors
    ///
    /// The query does not fit the index, or a file is damaged.
    pub fn search(&self, request: &Request<'_>) -> Result<Vec<Hit<'_>>, SearchError> {
        Ok(self.search_timed(request)?.0)
    }

    /// As [`search`](Self::search), with the duration of each stage.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search).
    pub fn search_timed(
        &self,
        request: &Request<'_>,
    ) -> Result<(Vec<Hit<'_>>, SearchTimes), SearchError> {
        self.search_while(request, &|| true)
    }

    /// As [`search`](Self::search), while `go_on` returns true: it is called between documents and
    /// between lists, about once in a millisecond.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search), and [`SearchError::Stopped`].
    pub fn search_while(
        &self,
        request: &Request<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(Vec<Hit<'_>>, SearchTimes), SearchError> {
        self.check_request(request)?;
        let mut times = SearchTimes::default();
        let nobody_asks = request.lanes.is_empty() && request.nominate != Nominate::All;
        if request.k == 0 || nobody_asks {
            return Ok((Vec::new(), times));
        }
        let wanted = wanted(request);
        let began = Instant::now();
        let stop_check = StopCheck::new(go_on);
        let mut scored = CandidateSearch::new(self, request, &stop_check).best(wanted)?;
        times.probe = began.elapsed();
        if let Some(rerank) = &request.rerank {
            score::rerank((self, &stop_check), rerank, request.k, &mut scored)?;
            times.rerank = began.elapsed() - times.probe;
        }
        self.rank(&mut scored, request.k)?;
        let reranked = request.rerank.is_some();
        let hits = scored.into_iter().map(|scored| self.hit(scored, reranked));
        Ok((hits.collect::<Result<_, _>>()?, times))
    }

    fn check_request(&self, request: &Request<'_>) -> Result<(), SearchError> {
        let settings = self.settings();
        if let Nominate::Recall(value) = request.nominate
            && !(value > 0.0 && value <= 1.0)
        {
            return Err(SearchError::Recall { value });
        }
        for lane in request.lanes {
            check_view("lanes", lane.view, settings.dim)?;
            check_weight(lane.weight)?;
        }
        if let Some(Rerank { query, weights, .. }) = request.rerank {
            if let Some(found) = weights.map(<[f32]>::len).filter(|&found| found != query.len()) {
                return Err(SearchError::Weights { found, wanted: query.len() });
            }
            weights.unwrap_or_default().iter().try_for_each(|&weight| check_weight(weight))?;
            if settings.lanes_only {
                return Err(SearchError::LanesOnly);
            }
            let wanted = settings.token_dim.unwrap_or(settings.dim);
            if query.dim() != wanted {
                let found = query.dim();
                return Err(SearchError::Dim { what: "token views", found, wanted });
            }
            check_view("token views", query.values(), query.values().len())?;
        }
        match request.filter {
            Some(filter) if filter.identity != self.generation.identity => {
                let (found, wanted) = (filter.generation, self.generation());
                Err(SearchError::Filter { found, wanted })
            }
            _ => Ok(()),
        }
    }

    /// Sorts the best documents, ties by id, descending, and truncates to `k`.
    fn rank(&self, scored: &mut Vec<Scored>, k: usize) -> Result<(), SearchError> {
        let id = |scored: &Scored| self.segment(scored.segment).id(scored.document as usize);
        if let Some(lost) = scored.iter().find(|scored| id(scored).is_none()) {
            return Err(damaged_id(self.segment(lost.segment), lost.document));
        }
        let order =
            |a: &Scored, b: &Scored| b.score.total_cmp(&a.score).then_with(|| id(b).cmp(&id(a)));
        if scored.len() > k {
            scored.select_nth_unstable_by(k - 1, order);
            scored.truncate(k);
        }
        scored.sort_unstable_by(order);
        Ok(())
    }

    /// Resolves the document's id, and replaces the places of its views by their positions.
    fn hit(&self, scored: Scored, reranked: bool) -> Result<Hit<'_>, SearchError> {
        let Scored { segment, document, score, mut pairs } = scored;
        let segment = self.segment(segment);
        let id = segment.id(document as usize).ok_or_else(|| damaged_id(segment, document))?;
        let rows = if reranked { segment.scoring() } else { &segment.views };
        let views = rows.of(document as usize).unwrap_or_default();
        if let Some(positions) = rows.positions(views) {
            for pair in &mut pairs {
                pair.view = positions.get(pair.view).map_or(pair.view, |&view| view as usize);
            }
        }
        Ok(Hit { id, score, pairs })
    }

    pub(crate) fn segment(&self, number: u32) -> &Segment {
        &self.generation.segments[number as usize]
    }
}

/// The number of best documents to request from the lanes.
///
/// Several lanes score by their sum. A document that is good for all lanes and the best for none is
/// found only if each lane nominates more documents than are wanted.
fn wanted(request: &Request<'_>) -> usize {
    match request.rerank {
        Some(rerank) => rerank.documents.max(request.k),
        None if request.lanes.len() > 1 => {
            request.k.max(LEAST_OF_MANY).saturating_mul(DEPTH_OF_MANY)
        }
        None => request.k,
    }
}

/// Checks that a weight is finite and not negative.
fn check_weight(weight: f32) -> Result<(), SearchError> {
    match weight.is_finite() && weight >= 0.0 {
        true => Ok(()),
        false => Err(SearchError::Weight { value: weight }),
    }
}

fn check_view(what: &'static str, view: &[f32], wanted: usize) -> Result<(), SearchError> {
    if view.len() != wanted {
        return Err(SearchError::Dim { what, found: view.len(), wanted });
    }
    // larger values could make a product infinite
    match view.iter().find(|value| value.is_nan() || value.abs() > MOST) {
        Some(&value) => Err(SearchError::Value { value }),
        None => Ok(()),
    }
}

fn damaged_id(segment: &Segment, document: u32) -> SearchError {
    let what = format!("document {document} has no id in it");
    SearchError::Damaged { path: segment.views.path.with_extension("ids"), what }
}

fn damaged_rows(path: &std::path::Path, what: String) -> SearchError {
    SearchError::Damaged { path: path.to_owned(), what }
}
