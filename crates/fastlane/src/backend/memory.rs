//! A collection in memory: maps and brute force.
//!
//! It is for tests, for a few thousand temporary documents, and for the contract suite, which
//! compares the directory with it: every score here is computed by its definition.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use fastlane_corpus::{Analyzer, Bm25, Document, Filter, LexicalWriter};
use fastlane_engine::{
    DocumentViews, OpenIndexError, Pair, Reduction, SearchTimes, Statistics, Store, ViewDims,
    WriterSettings,
};

use super::{
    Backend, Batch, ByViews, Candidate, Change, Commit, Header, Nominated, Scored, SearchScope,
    Snapshot, Stamp,
};
use crate::error::CollectionError;
use crate::record::Record;
use crate::stop::Stop;

/// The path shown in messages.
const PLACE: &str = "memory";

/// Maps.
pub(crate) struct Memory {
    snapshot: RwLock<Arc<MemorySnapshot>>,
    /// Held by the one batch that may exist.
    writing: Arc<Mutex<bool>>,
}

type Documents = BTreeMap<String, Arc<StoredDocument>>;

struct StoredDocument {
    record: Record,
    views: DocumentViews,
    /// The token views that remain after the reduction.
    tokens: Vec<usize>,
}

impl StoredDocument {
    /// The views that are searched, with their numbers.
    fn searched(&self) -> Box<dyn Iterator<Item = (usize, &[f32])> + '_> {
        match &self.views.lane_views {
            Some(lanes) => Box::new(lanes.rows().enumerate()),
            None => Box::new(self.tokens()),
        }
    }

    /// The token views that are scored, with their numbers.
    fn tokens(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.tokens.iter().map(|&token| (token, self.views.views.row(token)))
    }
}

struct MemorySnapshot {
    header: Header,
    documents: Documents,
}

impl Memory {
    pub(crate) fn new(dims: ViewDims, fingerprint: String, location: Option<PathBuf>) -> Self {
        let header = Header {
            generation: 1,
            dims,
            store: Store::default(),
            fingerprint,
            location,
            tags: BTreeMap::new(),
            views: Statistics::default(),
            records: 0,
        };
        let snapshot = MemorySnapshot { header, documents: Documents::new() };
        Self { snapshot: RwLock::new(Arc::new(snapshot)), writing: Arc::default() }
    }

    fn current(&self) -> Arc<MemorySnapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Backend for Memory {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.current()
    }

    fn refresh(&self) -> Result<bool, CollectionError> {
        // every commit goes through this value
        Ok(false)
    }

    fn batch(self: Arc<Self>, settings: WriterSettings) -> Result<Box<dyn Batch>, CollectionError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *writing, true) {
            return Err(OpenIndexError::Locked { path: PLACE.into() }.into());
        }
        drop(writing);
        let documents = self.current().documents.clone();
        let (tags, reduction) = (BTreeMap::new(), settings.reduction);
        Ok(Box::new(MemoryBatch { memory: self, documents, tags, reduction, changed: false }))
    }
}

impl MemorySnapshot {
    /// The documents that may be found.
    fn in_scope<'a>(&'a self, scope: &'a SearchScope<'_>) -> Vec<&'a StoredDocument> {
        let chosen: Option<HashSet<&str>> = match scope {
            SearchScope::Ids(ids) => Some(ids.iter().copied().collect()),
            SearchScope::All | SearchScope::Passing(_) => None,
        };
        let is_in_scope = |document: &Document| match scope {
            SearchScope::All => true,
            SearchScope::Passing(filter) => filter.matches(&document.metadata),
            SearchScope::Ids(_) => {
                chosen.as_ref().is_some_and(|ids| ids.contains(document.id.as_str()))
            }
        };
        self.documents
            .values()
            .map(|kept| &**kept)
            .filter(|kept| is_in_scope(&kept.record.document))
            .collect()
    }
}

impl Snapshot for MemorySnapshot {
    fn header(&self) -> &Header {
        &self.header
    }

    fn nominate(&self, request: &ByViews<'_>, until: &Stop) -> Result<Nominated, CollectionError> {
        let began = Instant::now();
        let mut best = Vec::new();
        for kept in self.in_scope(&request.scope) {
            stopped(until)?;
            best.extend(by_lanes(request, kept));
        }
        let chosen = matches!(request.scope, SearchScope::Ids(_));
        let k = if chosen { best.len() } else { request.k };
        let probe = began.elapsed();
        if request.rerank > 0 {
            if !chosen {
                rank(&mut best, request.rerank.max(k));
            }
            for candidate in &mut best {
                stopped(until)?;
                let kept = &self.documents[&candidate.id];
                let pair = |(token, view)| best_pair(token, view, kept.tokens());
                candidate.pairs = request.query.rows().enumerate().filter_map(pair).collect();
                candidate.score = candidate.pairs.iter().map(|pair| pair.product).sum();
            }
        }
        rank(&mut best, k);
        let rerank = began.elapsed() - probe;
        Ok(Nominated { best, times: SearchTimes { probe, rerank } })
    }

    /// BM25 by its formula.
    fn words(
        &self,
        text: &str,
        k: usize,
        filter: Option<&Filter>,
        until: &Stop,
    ) -> Result<Vec<Scored>, CollectionError> {
        const ANALYZER: Analyzer = Analyzer::English;
        let bm25 = Bm25::default();
        let words = |kept: &Arc<StoredDocument>| ANALYZER.words(&kept.record.document.full_text());
        let all: Vec<Vec<String>> = self.documents.values().map(words).collect();
        let count = all.len() as f32;
        let average = all.iter().map(Vec::len).sum::<usize>() as f32 / count;
        let mut found = Vec::new();
        for (kept, own) in self.documents.values().zip(&all) {
            stopped(until)?;
            let document = &kept.record.document;
            if filter.is_some_and(|filter| !filter.matches(&document.metadata)) {
                continue;
            }
            let mut score = 0.0;
            for word in ANALYZER.words(text) {
                let frequency = own.iter().filter(|other| **other == word).count() as f32;
                let documents = all.iter().filter(|words| words.contains(&word)).count();
                let documents = documents as f32;
                let rarity = (1.0 + (count - documents + 0.5) / (documents + 0.5)).ln();
                let length = 1.0 - bm25.b() + bm25.b() * own.len() as f32 / average;
                score += rarity * frequency / (frequency + bm25.k1() * length);
            }
            if score > 0.0 {
                found.push(Scored { id: document.id.clone(), score });
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
        found.truncate(k);
        Ok(found)
    }

    fn fetch(&self, keys: &[&str], until: &Stop) -> Result<Vec<Option<Record>>, CollectionError> {
        stopped(until)?;
        let fetch = |key: &&str| self.documents.get(*key).map(|kept| kept.record.clone());
        Ok(keys.iter().map(fetch).collect())
    }

    fn passing(&self, filter: &Filter, until: &Stop) -> Result<Vec<String>, CollectionError> {
        stopped(until)?;
        let among = SearchScope::Passing(filter);
        let key = |kept: &StoredDocument| kept.record.document.id.clone();
        Ok(self.in_scope(&among).into_iter().map(key).collect())
    }

    fn keys(&self) -> Vec<String> {
        self.documents.keys().cloned().collect()
    }
}

fn stopped(until: &Stop) -> Result<(), CollectionError> {
    if until.is_due() { Err(CollectionError::SearchStopped) } else { Ok(()) }
}

/// The weighted sum of the best product of each lane; `None` without lanes or views.
fn by_lanes(request: &ByViews<'_>, kept: &StoredDocument) -> Option<Candidate> {
    let pair = |lane: &fastlane_engine::Lane<'_>| best_pair(lane.token, lane.view, kept.searched());
    let pairs: Vec<Pair> = request.lanes.iter().filter_map(pair).collect();
    let weighed = pairs.iter().zip(request.lanes).map(|(pair, lane)| pair.product * lane.weight);
    let (id, score) = (kept.record.document.id.clone(), weighed.sum());
    (!pairs.is_empty()).then_some(Candidate { id, score, pairs })
}

/// The view with the largest product, the first of equal ones.
fn best_pair<'a>(
    query: usize,
    view: &[f32],
    views: impl Iterator<Item = (usize, &'a [f32])>,
) -> Option<Pair> {
    let mut best: Option<Pair> = None;
    for (at, row) in views {
        let product = view.iter().zip(row).map(|(a, b)| a * b).sum();
        if best.is_none_or(|best| product > best.product) {
            best = Some(Pair { query, view: at, product });
        }
    }
    best
}

/// Best first, equal ones by id, descending.
fn rank(candidates: &mut Vec<Candidate>, k: usize) {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
    candidates.truncate(k);
}

struct MemoryBatch {
    memory: Arc<Memory>,
    documents: Documents,
    tags: BTreeMap<String, String>,
    reduction: Reduction,
    changed: bool,
}

impl Batch for MemoryBatch {
    fn add(&mut self, record: &Record, views: &DocumentViews) -> Result<Change, CollectionError> {
        let key = &record.document.id;
        LexicalWriter::check_id(key)?;
        self.changed = true;
        let tokens = self.reduction.apply(&views.views, None);
        let kept = StoredDocument { record: record.clone(), views: views.clone(), tokens };
        let before = self.documents.insert(key.clone(), Arc::new(kept));
        Ok(if before.is_some() { Change::Replaced } else { Change::Added })
    }

    fn delete(&mut self, key: &str) -> Result<bool, CollectionError> {
        let deleted = self.documents.remove(key).is_some();
        self.changed |= deleted;
        Ok(deleted)
    }

    fn tag(&mut self, name: String, value: String) {
        self.tags.insert(name, value);
    }

    fn is_unchanged(&self) -> bool {
        !self.changed
    }

    fn roll_back(&mut self) -> Result<(), CollectionError> {
        self.documents = self.memory.current().documents.clone();
        self.changed = false;
        Ok(())
    }

    fn commit(
        &mut self,
        stamp: &Stamp,
        _: Commit,
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, CollectionError> {
        let before = self.memory.current();
        let mut header = before.header.clone();
        header.tags.append(&mut self.tags);
        if let Some(fingerprint) = &stamp.fingerprint {
            header.fingerprint.clone_from(fingerprint);
        }
        if !self.changed && header.tags == before.header.tags {
            return Ok(header.generation);
        }
        let views = self.documents.values().map(|kept| kept.searched().count() as u64).sum();
        if !watch(views) {
            return Err(CollectionError::Stopped);
        }
        header.generation += 1;
        header.records = self.documents.len() as u64;
        header.views = Statistics { documents: header.records, views, ..Statistics::default() };
        let generation = header.generation;
        let snapshot = MemorySnapshot { header, documents: self.documents.clone() };
        let mut current = self.memory.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(snapshot);
        self.changed = false;
        Ok(generation)
    }
}

impl Drop for MemoryBatch {
    fn drop(&mut self) {
        *self.memory.writing.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}
