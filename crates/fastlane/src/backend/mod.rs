//! Storage backends: the interface between search and storage.
//!
//! What is stored are [records](crate::record): passages of documents. In this module, the id of a
//! record is its key. A [`Backend`] provides a [`Snapshot`] for searches and a [`Batch`] for a writer. Everything
//! above it, the encoder, the stages of a search, fusion and snippets, is the same for all
//! backends. There are two: [`local`], a directory, and [`memory`], which keeps everything in maps
//! and computes by brute force; `tests.rs` compares the two.
//!
//! Every call that may take long has a [`Stop`], which may be a deadline: a remote backend stops
//! when it is due.

pub(crate) mod local;
pub(crate) mod memory;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use fastlane_corpus::Filter;
use fastlane_engine::{
    DocumentViews, Lane, Pair, SearchTimes, Statistics, Store, TokenMatrix, ViewDims,
    WriterSettings,
};

use crate::error::CollectionError;
use crate::record::Record;
use crate::stop::Stop;

/// The storage of a collection.
pub(crate) trait Backend: Send + Sync {
    /// The generation that searches read.
    fn snapshot(&self) -> Arc<dyn Snapshot>;

    /// Moves to the last commit; returns whether there was a newer one.
    fn refresh(&self) -> Result<bool, CollectionError>;

    /// Starts a batch; one at a time, over all processes.
    fn batch(self: Arc<Self>, settings: WriterSettings) -> Result<Box<dyn Batch>, CollectionError>;
}

/// One generation of a collection: it does not change while searches read it.
pub(crate) trait Snapshot: Send + Sync {
    fn header(&self) -> &Header;

    /// The best documents by their views, best first; equal ones by id, descending.
    fn nominate(&self, request: &ByViews<'_>, until: &Stop) -> Result<Nominated, CollectionError>;

    /// The best documents by BM25, in the same order.
    fn words(
        &self,
        text: &str,
        k: usize,
        filter: Option<&Filter>,
        until: &Stop,
    ) -> Result<Vec<Scored>, CollectionError>;

    /// The records with these keys, in this order; `None` for an unknown key.
    fn fetch(&self, keys: &[&str], until: &Stop) -> Result<Vec<Option<Record>>, CollectionError>;

    /// The keys of the records that pass a filter.
    fn passing(&self, filter: &Filter, until: &Stop) -> Result<Vec<String>, CollectionError>;

    /// The keys of all records.
    fn keys(&self) -> Vec<String>;
}

/// Changes that become one commit, or several.
pub(crate) trait Batch: Send {
    /// Adds a record, or replaces the one with its key; returns which.
    fn add(&mut self, record: &Record, views: &DocumentViews) -> Result<Change, CollectionError>;

    /// Deletes a record; returns whether it existed.
    fn delete(&mut self, key: &str) -> Result<bool, CollectionError>;

    /// Sets a tag for the next commit.
    fn tag(&mut self, name: String, value: String);

    /// Whether no record was added or deleted since the last commit.
    fn is_unchanged(&self) -> bool;

    /// Discards the changes since the last commit.
    fn roll_back(&mut self) -> Result<(), CollectionError>;

    /// Commits all changes atomically, and returns the generation. The snapshot of the backend is
    /// then that of the commit.
    ///
    /// `watch` receives how many views were processed since the last call, and returns whether to
    /// continue.
    fn commit(
        &mut self,
        stamp: &Stamp,
        how: Commit,
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, CollectionError>;
}

/// The facts of a generation.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) generation: u64,
    pub(crate) dims: ViewDims,
    pub(crate) store: Store,
    /// The fingerprint of the encoder that made the views.
    pub(crate) fingerprint: String,
    /// The path of that encoder.
    pub(crate) location: Option<PathBuf>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) views: Statistics,
    /// Number of records in the lexical index.
    pub(crate) records: u64,
}

/// A search by views.
pub(crate) struct ByViews<'a> {
    pub(crate) lanes: &'a [Lane<'a>],
    /// The token views of the query, for late interaction.
    pub(crate) query: &'a TokenMatrix,
    /// Number of candidates to rerank by late interaction; 0 disables reranking.
    pub(crate) rerank: usize,
    pub(crate) k: usize,
    pub(crate) scope: SearchScope<'a>,
}

/// The documents that a search may find.
pub(crate) enum SearchScope<'a> {
    All,
    Passing(&'a Filter),
    /// Only these, each of which is scored. Unknown ids are ignored.
    Ids(&'a [&'a str]),
}

/// A hit of a search by views.
pub(crate) struct Nominated {
    pub(crate) best: Vec<Candidate>,
    pub(crate) times: SearchTimes,
}

/// A document with the parts of its score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) score: f32,
    /// Products of the query's tokens with views of the document, which stand for its tokens.
    pub(crate) pairs: Vec<Pair>,
}

/// A hit of BM25.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    pub(crate) id: String,
    pub(crate) score: f32,
}

/// The outcome of adding a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Replaced,
}

/// The encoder metadata of a commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamp {
    /// Its current path; if unknown, the backend keeps the stored one.
    pub(crate) location: Option<PathBuf>,
    /// A fingerprint to write in place of one in an earlier form.
    pub(crate) fingerprint: Option<String>,
}

/// How changes are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Append to the existing segments.
    Append,
    /// Rewrite all documents without the deleted ones, in as few segments as possible.
    Compact,
}
