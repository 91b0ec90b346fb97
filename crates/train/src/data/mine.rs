//! Hard negatives: documents that look like answers to BM25 and are not, as far as we know.

use std::num::NonZero;
use std::thread::available_parallelism;

use fastlane_corpus::{Document, LexicalReader, LexicalSearch, LexicalSettings, LexicalWriter};

use super::DataError;
use super::pairs::{Example, Pairs, Source};
use crate::run::NegativeSettings;

/// Adds the best documents by BM25 to the negatives of each example, source by source.
pub(crate) fn mine(pairs: &mut Pairs, settings: &NegativeSettings) -> Result<(), DataError> {
    let Pairs { queries, documents, sources, .. } = pairs;
    for source in sources {
        mine_source(source, [queries.all(), documents.all()], settings)?;
    }
    Ok(())
}

fn mine_source(
    source: &mut Source,
    [queries, documents]: [&[String]; 2],
    settings: &NegativeSettings,
) -> Result<(), DataError> {
    let folder = tempfile::tempdir().map_err(failed)?;
    let path = folder.path().join("bm25");
    let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let mut writer =
        LexicalWriter::create(&path, LexicalSettings::default(), threads).map_err(failed)?;
    let mut all = source.collection.clone();
    all.sort_unstable();
    all.dedup();
    for number in all {
        let text = documents[number as usize].clone();
        let document = Document { id: number.to_string(), text, ..Document::default() };
        writer.add(&document).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    let reader = LexicalReader::open(&path).map_err(failed)?;
    let search = LexicalSearch { k: settings.bm25_depth, ..LexicalSearch::default() };
    for examples in source.examples.chunks_mut(256) {
        let text = |example: &Example| queries[example.query as usize].as_str();
        let texts: Vec<&str> = examples.iter().map(text).collect();
        let found = reader.search_many(&texts, &search, threads).map_err(failed)?;
        for (example, hits) in examples.iter_mut().zip(found) {
            let numbers = hits.iter().skip(settings.bm25_skip).map(|hit| hit.id.parse());
            add(example, numbers.map(|number| number.expect("ids are numbers of documents")));
        }
    }
    Ok(())
}

fn add(example: &mut Example, negatives: impl Iterator<Item = u32>) {
    for negative in negatives {
        if !example.positives.contains(&negative) && !example.negatives.contains(&negative) {
            example.negatives.push(negative);
        }
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> DataError {
    DataError::Mine { source: Box::new(source) }
}
