//! Where a collection is kept: the seam between how it is searched and how it is stored.
//!
//! A [`Backend`] gives a [`Snapshot`] to searches and a [`Batch`] to a writer. Everything above it, the
//! encoder, the stages of a search, fusion and snippets, is the same for all. There are two:
//! [`local`], a directory, and [`memory`], which keeps everything in maps and computes by brute force;
//! it is the twin that `contract.rs` holds the other against.
//!
//! Every call that may take long has a [`Stop`], which may be a deadline: a backend on another machine
//! gives up when it is due.

#[cfg(test)]
mod contract;
pub(crate) mod local;
pub(crate) mod memory;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use fastlane_corpus::{Document, Filter};
use fastlane_engine::{
    DocumentViews, Lane, Pair, SearchTimes, Statistics, Store, TokenMatrix, ViewDims,
    WriterSettings,
};

use crate::error::CollectionError;
use crate::stop::Stop;

/// What keeps a collection.
pub(crate) trait Backend: Send + Sync {
    /// The generation that searches read.
    fn snapshot(&self) -> Arc<dyn Snapshot>;

    /// Moves to the last commit; tells whether there was a newer one.
    fn refresh(&self) -> Result<bool, CollectionError>;

    /// Begins changes; one at a time, in whatever process.
    fn batch(self: Arc<Self>, settings: WriterSettings) -> Result<Box<dyn Batch>, CollectionError>;
}

/// One generation of a collection: it does not change while searches read it.
pub(crate) trait Snapshot: Send + Sync {
    fn header(&self) -> &Header;

    /// The best documents by their views, best first; equal ones by id, descending.
    fn nominate(&self, request: &ByViews<'_>, until: &Stop) -> Result<Nominated, CollectionError>;

    /// The best documents by their words (BM25), in the same order.
    fn words(
        &self,
        text: &str,
        k: usize,
        filter: Option<&Filter>,
        until: &Stop,
    ) -> Result<Vec<Scored>, CollectionError>;

    /// The documents with these ids, in this order; `None` for an id that is not there.
    fn fetch(&self, ids: &[&str], until: &Stop) -> Result<Vec<Option<Document>>, CollectionError>;

    /// Counts the documents that pass a filter.
    fn count(&self, filter: &Filter, until: &Stop) -> Result<usize, CollectionError>;

    /// The ids of all documents.
    fn ids(&self) -> Vec<String>;
}

/// Changes that become one commit, or several.
pub(crate) trait Batch: Send {
    /// Adds a document, or replaces the one with its id, and tells which.
    fn add(
        &mut self,
        document: &Document,
        views: &DocumentViews,
    ) -> Result<Change, CollectionError>;

    /// Deletes a document; tells whether it was there.
    fn delete(&mut self, id: &str) -> Result<bool, CollectionError>;

    /// Leaves a value under a name for the next commit.
    fn tag(&mut self, name: String, value: String);

    /// Whether no document was added or deleted since the last commit.
    fn is_unchanged(&self) -> bool;

    /// Takes back what was added and deleted since the last commit.
    fn roll_back(&mut self) -> Result<(), CollectionError>;

    /// Makes all changes hold, all or nothing, and tells the generation. The backend's snapshot is
    /// that of the commit then.
    ///
    /// `watch` receives how many views were worked off since the last call, and returns whether to
    /// go on.
    fn commit(
        &mut self,
        stamp: &Stamp,
        how: Commit,
        watch: &mut dyn FnMut(u64) -> bool,
    ) -> Result<u64, CollectionError>;
}

/// What a generation says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) generation: u64,
    pub(crate) dims: ViewDims,
    pub(crate) store: Store,
    /// The fingerprint of the encoder that made the views.
    pub(crate) fingerprint: String,
    /// Where that encoder was.
    pub(crate) location: Option<PathBuf>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) views: Statistics,
    /// Documents with words.
    pub(crate) documents: u64,
}

/// A search by views.
pub(crate) struct ByViews<'a> {
    pub(crate) lanes: &'a [Lane<'a>],
    /// The token views of the query, for late interaction.
    pub(crate) query: &'a TokenMatrix,
    /// How many of the documents that lanes find are scored by late interaction; 0 for none.
    pub(crate) rerank: usize,
    pub(crate) k: usize,
    pub(crate) among: Among<'a>,
}

/// The documents that a search may find.
pub(crate) enum Among<'a> {
    All,
    Passing(&'a Filter),
    /// Just these, each of which is scored. Ids that are not there are left out.
    Ids(&'a [&'a str]),
}

/// What a search by views found.
pub(crate) struct Nominated {
    pub(crate) best: Vec<Candidate>,
    pub(crate) times: SearchTimes,
}

/// A document and what made its score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) score: f32,
    /// Products of the query's tokens with views of the document, which stand for its tokens.
    pub(crate) pairs: Vec<Pair>,
}

/// A document by its words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    pub(crate) id: String,
    pub(crate) score: f32,
}

/// What became of a document that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Replaced,
}

/// What a commit says of the encoder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamp {
    /// Where it is now; the backend keeps what it has if this is not known.
    pub(crate) location: Option<PathBuf>,
    /// A fingerprint to write in place of one in an earlier form.
    pub(crate) fingerprint: Option<String>,
}

/// How changes are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    /// Beside what was there.
    Append,
    /// All documents again, without the deleted ones, in as few segments as can be.
    Compact,
}
