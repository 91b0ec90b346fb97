//! A search result whose documents are fetched one at a time.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use fastlane_engine::{Encoder, QueryViews, UsualLane};
use serde::Serialize;

use super::Found;
use crate::backend::{Candidate, Snapshot};
use crate::collection::Collection;
use crate::error::CollectionError;
use crate::query::{Lanes, Search};
use crate::read::context;
use crate::record::{document_of, number_of};
use crate::result::{Hit, LaneKind, Match, QueryToken, ResultError, SearchResult, Times};
use crate::snippet::snippet;
use crate::stop::Stop;

/// A search result: an iterator that fetches each document on demand, so that only the documents
/// that the caller keeps are in memory.
pub struct Results {
    /// All that is known before the first document.
    head: SearchResult,
    best: std::vec::IntoIter<Found>,
    /// How many passages around a hit are its context.
    reach: usize,
    given: usize,
    snapshot: Arc<dyn Snapshot>,
    /// The tokeniser of the encoder, if views stand for tokens.
    encoder: Option<Arc<dyn Encoder>>,
    stop: Stop,
}

impl std::fmt::Debug for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Results")
            .field("head", &self.head)
            .field("left", &self.best.len())
            .finish_non_exhaustive()
    }
}

impl Results {
    pub(super) fn new(
        collection: &Collection,
        snapshot: Arc<dyn Snapshot>,
        search: &Search,
        (query, lanes): (Arc<QueryViews>, Vec<usize>),
        (best, times): (Vec<Found>, Times),
    ) -> Self {
        let lane = match (search.lanes, query.usual) {
            (Lanes::All, _) | (Lanes::Usual, UsualLane::All) => LaneKind::All,
            (Lanes::Usual, UsualLane::Soft) => LaneKind::Soft,
            _ => LaneKind::Hard,
        };
        let generation = snapshot.header().generation;
        let head = SearchResult {
            generation,
            lane,
            tokens: tokens(&query, &lanes, lane),
            lanes,
            cut: query.cut,
            hits: Vec::new(),
            times,
        };
        // learned lane views do not stand for tokens
        let stand = search.rerank > 0 || snapshot.header().dims.tokens.is_none();
        let encoder = collection.encoder().filter(|_| stand).cloned();
        let (best, reach, stop) = (best.into_iter(), search.context, search.stop.clone());
        Self { head, best, reach, given: 0, snapshot, encoder, stop }
    }

    /// The result without hits, known before the first document. Its times grow as documents are
    /// fetched.
    pub fn head(&self) -> &SearchResult {
        &self.head
    }

    /// Fetches all documents.
    ///
    /// # Errors
    ///
    /// A document cannot be read, or the search was stopped.
    pub fn into_result(mut self) -> Result<SearchResult, CollectionError> {
        let hits = self.by_ref().collect::<Result<_, _>>()?;
        Ok(SearchResult { hits, ..self.head })
    }

    /// Writes what [`SearchResult`] is as JSON while documents are fetched, one at a time.
    ///
    /// # Errors
    ///
    /// A document cannot be read, the search was stopped, or `out` takes no more.
    pub fn write_json(&mut self, out: &mut dyn Write) -> Result<(), ResultError> {
        write!(out, "{{\"generation\":{},\"lane\":", self.head.generation)?;
        json(out, &self.head.lane)?;
        out.write_all(b",\"tokens\":")?;
        json(out, &self.head.tokens)?;
        write!(out, ",\"cut\":{},\"hits\":[", self.head.cut)?;
        let mut first = true;
        for hit in self.by_ref() {
            if !std::mem::take(&mut first) {
                out.write_all(b",")?;
            }
            json(out, &hit?)?;
        }
        out.write_all(b"],\"milliseconds\":")?;
        json(out, &self.head.times)?;
        Ok(out.write_all(b"}")?)
    }

    /// A hit with its document; `None` if it has no text.
    fn fetch(&mut self, found: Found) -> Result<Option<Hit>, CollectionError> {
        if self.stop.is_due() {
            return Err(CollectionError::SearchStopped);
        }
        let Found { candidate: Candidate { id: key, score, pairs }, others } = found;
        let record = self.snapshot.fetch(&[&key], &self.stop)?.pop().flatten();
        let Some(record) = record else { return Ok(None) };
        let passage = record.passage();
        let mut document = record.document;
        document_of(&key).clone_into(&mut document.id);
        let context = context(&*self.snapshot, &document.id, &passage, self.reach, &self.stop)?;
        let text = document.full_text();
        let spelled = match &self.encoder {
            Some(encoder) => encoder.document_tokens(&text)?,
            None => Vec::new(),
        };
        let shown = |pair: &fastlane_engine::Pair| {
            let token = spelled.get(pair.view)?;
            let (query, product) = (pair.query, pair.product);
            Some(Match { query, token: token.text.clone(), bytes: token.bytes.clone(), product })
        };
        let matches: Vec<Match> = pairs.iter().filter_map(shown).collect();
        let lane = self.head.lanes.first().copied();
        let lane = lane.filter(|_| self.head.lane != LaneKind::Soft);
        let snippet = snippet(&text, &matches, lane);
        self.given += 1;
        drop(text);
        let others = others.iter().map(|key| number_of(key)).collect();
        let rank = self.given;
        Ok(Some(Hit { rank, score, document, passage, context, others, snippet, matches }))
    }
}

impl Iterator for Results {
    type Item = Result<Hit, CollectionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let began = Instant::now();
        let hit = loop {
            let Some(candidate) = self.best.next() else { break None };
            match self.fetch(candidate) {
                // an id with views has a text: both are of one commit
                Ok(None) => {}
                other => break other.transpose(),
            }
        };
        self.head.times.show += began.elapsed();
        hit
    }
}

fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

/// The tokens of a query; one view of all tokens searches for none of them.
fn tokens(query: &QueryViews, lanes: &[usize], kind: LaneKind) -> Vec<QueryToken> {
    let searches = |place: usize| kind != LaneKind::Soft && lanes.contains(&place);
    let token = |(place, (token, &alpha)): (usize, (&fastlane_engine::Token, &f32))| QueryToken {
        token: token.text.clone(),
        alpha,
        lane: searches(place),
        bytes: token.bytes.clone(),
    };
    query.tokens.iter().zip(&query.alpha).enumerate().map(token).collect()
}
