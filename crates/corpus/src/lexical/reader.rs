//! Answers queries from one commit of a lexical index.

use std::num::NonZero;
use std::path::Path;

use rayon::prelude::*;
use tantivy::schema::{Field, IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocSet as _, ReloadPolicy, Searcher, TERMINATED, TantivyDocument, Term};

use super::bm25::Bm25;
use super::error::{LexicalOpenError, LexicalSearchError};
use super::pace::Pace;
use super::passing::Passing;
use super::query::words_of;
use super::schema::{self, Fields, LexicalSettings};
use super::search::{Damping, List, Ranking};
use super::segment::Segment;
use super::top::{Ranked, Top};
use crate::{Document, Filter};

/// Blocks of stored documents that each segment keeps decompressed. A block holds 16 KiB, or one
/// larger document: with tantivy's 100, documents of 16 MB would take 1.6 GB. Two are enough to
/// read documents in their stored order.
const STORE_BLOCKS: usize = 2;

/// The parameters of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct LexicalSearch {
    /// The maximum number of hits.
    pub k: usize,
    /// The parameters of BM25.
    pub bm25: Bm25,
    /// The filter; without one, all documents may be returned.
    pub filter: Option<Filter>,
}

impl Default for LexicalSearch {
    /// Ten hits from all documents, scored as Anserini does.
    fn default() -> Self {
        LexicalSearch { k: 10, bm25: Bm25::default(), filter: None }
    }
}

/// A hit; hits rank by score, then by id, both falling.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The external id of the document.
    pub id: String,
    /// Its BM25 score, above 0.
    pub score: f32,
}

/// Searches an index as it was when opened, while writers continue.
///
/// Opening reads one byte per document. Searching shares everything between threads.
pub struct LexicalReader {
    searcher: Searcher,
    fields: Fields,
    settings: LexicalSettings,
    pub(super) segments: Vec<Segment>,
    documents: u64,
    average_length: f64,
}

/// MaxScore, or the exhaustive search that scores every document with a word of the query.
#[derive(Clone, Copy)]
enum Pruning {
    MaxScore,
    Nothing,
}

impl LexicalReader {
    /// Opens the last commit of the index in a directory.
    ///
    /// # Errors
    ///
    /// There is no index, this build cannot read it, or files are missing or damaged.
    pub fn open(path: &Path) -> Result<Self, LexicalOpenError> {
        let (index, fields, settings) = schema::open(path)?;
        let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let builder = builder.doc_store_cache_num_blocks(STORE_BLOCKS);
        let opened = builder
            .try_into()
            .and_then(|reader: tantivy::IndexReader| Self::on(reader.searcher(), fields, settings));
        opened.map_err(|error| LexicalOpenError::of(error, path))
    }

    fn on(searcher: Searcher, fields: Fields, settings: LexicalSettings) -> tantivy::Result<Self> {
        let readers = searcher.segment_readers();
        let segments: Vec<Segment> = readers
            .iter()
            .map(|reader| Segment::open(reader, fields))
            .collect::<tantivy::Result<_>>()?;
        let sizes = segments.iter().map(Segment::size);
        let (documents, length) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        let average_length = length as f64 / documents as f64;
        Ok(Self { searcher, fields, settings, segments, documents, average_length })
    }

    /// Counts the documents.
    pub fn len(&self) -> u64 {
        self.documents
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// Returns the settings that the index was created with.
    pub fn settings(&self) -> LexicalSettings {
        self.settings
    }

    /// Returns a document exactly as it was added; `None` if the id is unknown.
    pub fn get(&self, id: &str) -> Result<Option<Document>, LexicalSearchError> {
        let Some(address) = address_of(&self.searcher, self.fields.id, id)? else {
            return Ok(None);
        };
        let stored: TantivyDocument = self.searcher.doc(address)?;
        let field = |field| stored.get_first(field).and_then(|value| value.as_str()).unwrap_or("");
        let metadata = serde_json::from_str(field(self.fields.metadata))
            .map_err(|source| LexicalSearchError::Metadata { id: id.to_owned(), source })?;
        Ok(Some(Document {
            id: id.to_owned(),
            title: field(self.fields.title).to_owned(),
            text: field(self.fields.text).to_owned(),
            metadata,
            ..Document::default()
        }))
    }

    /// Finds the documents that share words with a query, best first.
    ///
    /// Equal scores rank by falling id, compared by its bytes, as trec_eval judges a run. So a
    /// search for few hits finds the first of those that a search for many finds.
    ///
    /// The query is plain text: it has no syntax, and any of its words may match. Without words
    /// that are indexed there are no hits.
    pub fn search(
        &self,
        query: &str,
        search: &LexicalSearch,
    ) -> Result<Vec<Hit>, LexicalSearchError> {
        let pace = Pace::new(&|| true);
        let allowed = self.allowed(search.filter.as_ref(), &pace)?;
        self.search_among((&allowed, &pace), query, search, Pruning::MaxScore)
    }

    /// Returns what [`search`](Self::search) returns, bit for bit, by scoring every match.
    ///
    /// It is the reference for tests and benches; `search` is faster.
    pub fn search_exhaustively(
        &self,
        query: &str,
        search: &LexicalSearch,
    ) -> Result<Vec<Hit>, LexicalSearchError> {
        let pace = Pace::new(&|| true);
        let allowed = self.allowed(search.filter.as_ref(), &pace)?;
        self.search_among((&allowed, &pace), query, search, Pruning::Nothing)
    }

    /// Answers many queries on some threads, in the order of the queries.
    ///
    /// All hits are held at once: hand over a long list in parts of some hundreds, which also is
    /// the moment to show progress or to stop.
    pub fn search_many<Q: AsRef<str> + Sync>(
        &self,
        queries: &[Q],
        search: &LexicalSearch,
        threads: NonZero<usize>,
    ) -> Result<Vec<Vec<Hit>>, LexicalSearchError> {
        let allowed = self.allowed(search.filter.as_ref(), &Pace::new(&|| true))?;
        let answer = |query: &Q| {
            let pace = Pace::new(&|| true);
            self.search_among((&allowed, &pace), query.as_ref(), search, Pruning::MaxScore)
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .build()
            .map_err(|source| LexicalSearchError::Threads { threads, source })?;
        pool.install(|| queries.par_iter().map(answer).collect())
    }

    /// Searches some documents only, while `go_on` returns true: it is called for each word, and
    /// once in 4096 documents.
    ///
    /// The documents take the place of `search.filter`, which is not looked at.
    ///
    /// # Errors
    ///
    /// As [`search`](Self::search); the documents are of another reader; the search was stopped.
    pub fn search_passing(
        &self,
        query: &str,
        search: &LexicalSearch,
        passing: Option<&Passing>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Vec<Hit>, LexicalSearchError> {
        let pace = Pace::new(go_on);
        let all = match passing {
            Some(passing) => self.check(passing).map(|()| None)?,
            None => Some(self.allowed(None, &pace)?),
        };
        let Some(allowed) = passing.or(all.as_ref()) else { return Ok(Vec::new()) };
        self.search_among((allowed, &pace), query, search, Pruning::MaxScore)
    }

    fn search_among(
        &self,
        (allowed, pace): (&Passing, &Pace<'_>),
        query: &str,
        search: &LexicalSearch,
        pruning: Pruning,
    ) -> Result<Vec<Hit>, LexicalSearchError> {
        if search.k == 0 {
            return Ok(Vec::new());
        }
        let words =
            words_of(query, self.settings.analyzer, (&self.segments, self.documents), pace)?;
        let damping = Damping::new(search.bm25, self.average_length);
        let mut best = Best::new(search.k);
        for (place, segment) in self.segments.iter().enumerate() {
            let mut lists: Vec<List> = words
                .iter()
                .filter_map(|word| word.list(place, segment).transpose())
                .collect::<std::io::Result<_>>()?;
            let allowed = allowed.segments[place].as_deref();
            let ranking = Ranking { segment, damping: &damping, allowed, pace };
            let mut top = Top::new(search.k, best.bar);
            match pruning {
                Pruning::MaxScore => ranking.max_score(&mut lists, &mut top)?,
                Pruning::Nothing => ranking.exhaustive(&mut lists, &mut top),
            }
            best.take(place, top);
        }
        Ok(best.hits(&self.segments)?)
    }
}

/// The best documents of the segments so far, and of the k-th the score.
struct Best {
    k: usize,
    bar: f32,
    ranked: Vec<(usize, Ranked)>,
}

impl Best {
    fn new(k: usize) -> Self {
        Best { k, bar: 0.0, ranked: Vec::new() }
    }

    /// Takes a segment's best; those below the bar go, and those on it wait for their ids.
    fn take(&mut self, place: usize, top: Top) {
        self.ranked.extend(top.into_iter().map(|ranked| (place, ranked)));
        if self.ranked.len() >= self.k {
            let falling =
                |a: &(usize, Ranked), b: &(usize, Ranked)| b.1.score.total_cmp(&a.1.score);
            let (_, (_, kth), _) = self.ranked.select_nth_unstable_by(self.k - 1, falling);
            self.bar = kth.score;
            self.ranked.retain(|(_, ranked)| ranked.score >= self.bar);
        }
    }

    fn hits(mut self, segments: &[Segment]) -> std::io::Result<Vec<Hit>> {
        self.ranked.sort_unstable_by_key(|(place, ranked)| (*place, ranked.ord));
        let mut hits = Vec::with_capacity(self.ranked.len());
        for run in self.ranked.chunk_by(|a, b| a.0 == b.0) {
            let ords: Vec<u64> = run.iter().map(|(_, ranked)| ranked.ord).collect();
            let ids = segments[run[0].0].ids(&ords)?;
            hits.extend(
                ids.into_iter().zip(run).map(|(id, (_, ranked))| Hit { id, score: ranked.score }),
            );
        }
        hits.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then_with(|| b.id.cmp(&a.id)));
        hits.truncate(self.k);
        Ok(hits)
    }
}

/// The location of the surviving document with an id.
pub(super) fn address_of(
    searcher: &Searcher,
    field: Field,
    id: &str,
) -> tantivy::Result<Option<DocAddress>> {
    let term = Term::from_field_text(field, id);
    for (place, segment) in (0..).zip(searcher.segment_readers()) {
        let list = segment.inverted_index(field)?.read_postings(&term, IndexRecordOption::Basic)?;
        let Some(mut list) = list else { continue };
        let alive = segment.alive_bitset();
        while list.doc() != TERMINATED {
            if alive.is_none_or(|alive| alive.is_alive(list.doc())) {
                return Ok(Some(DocAddress::new(place, list.doc())));
            }
            list.advance();
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LexicalWriter;

    #[test]
    fn defect_u5_large_documents_that_were_read_are_not_kept_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LexicalSettings::default();
        let mut writer =
            LexicalWriter::create(folder.path(), settings, NonZero::<usize>::MIN).unwrap();
        let text = "word ".repeat(50_000);
        let id = |number: usize| format!("d{number}");
        for number in 0..10 {
            let document = Document { id: id(number), text: text.clone(), ..Document::default() };
            writer.add(&document).unwrap();
        }
        writer.finish().unwrap();
        let reader = LexicalReader::open(folder.path()).unwrap();
        for number in 0..10 {
            assert_eq!(reader.get(&id(number)).unwrap().unwrap().text, text);
        }
        let kept = reader.searcher.doc_store_cache_stats().num_entries;
        assert!(kept <= STORE_BLOCKS, "{kept} documents of {} bytes are kept", text.len());
    }
}
