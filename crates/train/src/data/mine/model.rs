//! Searches with a trained model: by its lanes, then by late interaction.

use std::path::Path;

use fastlane_engine::{
    Encoder as _, IndexSettings, Reader, Reduction, Request, Rerank, Store, ViewDims, Writer,
    WriterSettings,
};
use fastlane_model::{Model, Settings};
use rayon::prelude::*;

use super::{Search, failed};
use crate::error::TrainError;
use crate::events::observer::{Event, Observer, Phase, report_progress};

/// The name of this search method.
const BY: &str = "a model";

/// At least this many of the best documents by lane are reranked by late interaction.
const RERANKED: usize = 100;

/// A collection in an index of views.
pub(super) struct ByModel {
    model: Model,
    reader: Reader,
}

impl ByModel {
    /// Encodes and indexes a collection within a folder.
    pub(super) fn new(
        folder: &Path,
        model: &Path,
        collection: &[(u32, &str)],
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let model = Model::open(model, &Settings::default())?;
        observer.on_event(&Event::Phase(Phase::EncodingDocuments, collection.len() as u64));
        let path = folder.join("views");
        let ViewDims { searched: dim, tokens: token_dim } = model.dims();
        let index = IndexSettings {
            dim,
            token_dim,
            lanes_only: false,
            model: String::new(),
            store: Store::default(),
        };
        let settings = WriterSettings { reduction: Reduction::OFF, ..WriterSettings::default() };
        let writer = Writer::open(&path, &index, settings);
        let mut writer = writer.map_err(failed(BY))?;
        let texts = collection.iter().map(|(_, text)| (*text).to_owned());
        let all = model.encode_documents(Box::new(texts.collect::<Vec<_>>().into_iter()));
        for ((done, (number, _)), views) in (1..).zip(collection).zip(all) {
            let it = views.map_err(failed(BY))?;
            let (views, tokens) = it.searched();
            writer.add(&number.to_string(), views, tokens).map_err(failed(BY))?;
            report_progress(observer, done)?;
        }
        writer.commit().map_err(failed(BY))?;
        let reader = Reader::open(&path).map_err(failed(BY))?;
        Ok(Self { model, reader })
    }

    fn best(&self, query: &str, k: usize) -> Result<Vec<u32>, TrainError> {
        let query = self.model.encode_query(query).map_err(failed(BY))?;
        let lanes = query.searching(None);
        let rerank = Rerank { query: &query.views, weights: None, documents: RERANKED.max(2 * k) };
        let request = Request { rerank: Some(rerank), ..Request::new(&lanes, k) };
        let hits = self.reader.search(&request).map_err(failed(BY))?;
        hits.iter().map(|hit| hit.id.parse().map_err(failed(BY))).collect()
    }
}

impl Search for ByModel {
    fn search(&self, queries: &[&str], k: usize) -> Result<Vec<Vec<u32>>, TrainError> {
        queries.par_iter().map(|query| self.best(query, k)).collect()
    }
}
