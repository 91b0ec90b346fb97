//! Searches by BM25.

use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

use fastlane_corpus::{
    Document, Hit, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter,
};

use super::{Search, failed};
use crate::error::TrainError;

/// A collection in a lexical index.
pub(super) struct Bm25 {
    reader: LexicalReader,
    threads: NonZero<usize>,
}

impl Bm25 {
    /// Indexes a collection within a folder.
    pub(super) fn new(folder: &Path, collection: &[(u32, &str)]) -> Result<Self, TrainError> {
        let path = folder.join("bm25");
        let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let writer = LexicalWriter::create(&path, LexicalSettings::default(), threads);
        let mut writer = writer.map_err(failed("BM25"))?;
        for (number, text) in collection {
            let (id, text) = (number.to_string(), (*text).to_owned());
            let document = Document { id, text, ..Document::default() };
            writer.add(&document).map_err(failed("BM25"))?;
        }
        writer.finish().map_err(failed("BM25"))?;
        Ok(Self { reader: LexicalReader::open(&path).map_err(failed("BM25"))?, threads })
    }
}

impl Search for Bm25 {
    fn search(&self, queries: &[&str], k: usize) -> Result<Vec<Vec<u32>>, TrainError> {
        let search = LexicalSearch { k, ..LexicalSearch::default() };
        let found = self.reader.search_many(queries, &search, self.threads);
        let number = |hit: &Hit| hit.id.parse().map_err(failed("BM25"));
        let found = found.map_err(failed("BM25"))?;
        found.iter().map(|hits| hits.iter().map(number).collect()).collect()
    }
}
