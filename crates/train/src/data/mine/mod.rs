//! Mines hard negatives: documents that look like answers to a query and are not known to be.

mod bm25;
mod model;

use super::DataError;
use super::pairs::{Example, Pairs};
use crate::error::TrainError;
use crate::events::observer::{Event, Observer, Phase, report_progress};
use crate::run::NegativeSettings;

/// A collection that can be searched; documents are given by number.
trait Search {
    /// The best documents for each query, best first.
    fn search(&self, queries: &[&str], k: usize) -> Result<Vec<Vec<u32>>, TrainError>;
}

/// The number of queries per search.
const PORTION: usize = 256;

/// Adds the mined negatives to each example, source by source.
pub(crate) fn mine(
    pairs: &mut Pairs,
    settings: &NegativeSettings,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    let Pairs { queries, documents, sources, .. } = pairs;
    for source in sources {
        let mut numbers = source.collection.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let collection: Vec<(u32, &str)> = numbers
            .iter()
            .map(|&number| (number, documents.all()[number as usize].as_str()))
            .collect();
        let folder = tempfile::tempdir().map_err(failed("searches"))?;
        if settings.bm25_depth > 0 {
            let search = bm25::Bm25::new(folder.path(), &collection)?;
            let range = settings.bm25_skip..settings.bm25_depth;
            add_all(&mut source.examples, (queries.all(), &search), range, observer)?;
        }
        if let Some(model) = &settings.model {
            let search = model::ByModel::new(folder.path(), model, &collection, observer)?;
            let range = settings.model_skip..settings.model_depth;
            add_all(&mut source.examples, (queries.all(), &search), range, observer)?;
        }
    }
    Ok(())
}

/// Searches for all queries, and takes the hits of a range of ranks.
fn add_all(
    examples: &mut [Example],
    (queries, search): (&[String], &dyn Search),
    ranks: std::ops::Range<usize>,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    observer.on_event(&Event::Phase(Phase::Mining, examples.len() as u64));
    let mut done = 0;
    for examples in examples.chunks_mut(PORTION) {
        let texts: Vec<&str> =
            examples.iter().map(|example| queries[example.query as usize].as_str()).collect();
        let found = search.search(&texts, ranks.end)?;
        for (example, hits) in examples.iter_mut().zip(found) {
            add(example, hits.into_iter().skip(ranks.start));
        }
        done += examples.len();
        report_progress(observer, done)?;
    }
    Ok(())
}

/// The error when mining fails.
fn failed<E: std::error::Error + Send + Sync + 'static>(
    by: &'static str,
) -> impl Fn(E) -> TrainError {
    move |source| DataError::Mine { by, source: Box::new(source) }.into()
}

fn add(example: &mut Example, negatives: impl Iterator<Item = u32>) {
    for negative in negatives {
        if !example.is_answered_by(negative) && !example.negatives.contains(&negative) {
            example.negatives.push(negative);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use fastlane_engine::Encoder as _;
    use fastlane_model::{Model, Settings};

    use super::*;
    use crate::data::Source;

    /// Texts in the vocabulary of the tiny model.
    const TEXTS: [&str; 7] = [
        "the baking house seen singing",
        "a ship baking",
        "the nine of the harbour",
        "the house of light",
        "singing on the ship baking",
        "ship of the light harbour",
        "what on light",
    ];
    const QUERY: &str = "what ship seen baking";

    struct Nobody;

    impl Observer for Nobody {
        fn on_event(&mut self, _: &Event) {}

        fn stops(&self) -> bool {
            false
        }
    }

    /// The query is text 0; its answer is text 1 and, according to another source, text 6.
    fn pairs() -> Pairs {
        let mut pairs = Pairs::default();
        let query = pairs.queries.add(QUERY.to_owned());
        let collection: Vec<u32> =
            TEXTS.iter().map(|&text| pairs.documents.add(text.to_owned())).collect();
        let (positives, elsewhere, negatives) = (vec![1], vec![6], Vec::new());
        let examples = vec![Example { query, positives, elsewhere, negatives }];
        pairs.sources.push(Source { path: PathBuf::new(), weight: 1.0, examples, collection });
        pairs
    }

    fn mined(settings: &NegativeSettings) -> Vec<u32> {
        let mut pairs = pairs();
        mine(&mut pairs, settings, &mut Nobody).unwrap();
        pairs.sources[0].examples[0].negatives.clone()
    }

    #[test]
    fn bm25_finds_shared_words_but_no_answers() {
        let all = NegativeSettings { bm25_depth: 7, ..NegativeSettings::default() };
        let found = mined(&all);
        // text 1 answers, text 3 shares no word
        assert_eq!(found[0], 0, "it shares a word of one text, and another: {found:?}");
        assert!(found.contains(&4) && !found.contains(&1) && !found.contains(&3), "{found:?}");
        // the best is left out
        assert_eq!(mined(&NegativeSettings { bm25_skip: 1, ..all }), found[1..]);
    }

    #[test]
    fn a_model_finds_what_late_interaction_ranks_high() {
        let directory =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-split");
        let model = Model::open(&directory, &Settings::default()).unwrap();
        let query = model.encode_query(QUERY).unwrap().views;
        let texts = TEXTS.iter().map(|&text| text.to_owned());
        let score = |views: fastlane_engine::DocumentViews| query.sum_max(&views.views);
        let scores: Vec<f32> =
            model.encode_documents(Box::new(texts)).map(|views| score(views.unwrap())).collect();
        let mut order: Vec<u32> = (0..7).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        let (model, none) = (Some(directory), NegativeSettings::default());
        let found = mined(&NegativeSettings { model, model_depth: 5, model_skip: 1, ..none });
        // the index rounds to half precision: what is as good may come in its place
        let wanted = order[1..5].iter().filter(|&&document| document != 1);
        assert!(found.len() == 3 && !found.contains(&1), "{found:?} of {order:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            let [found, wanted] = [found, wanted].map(|&document| scores[document as usize]);
            assert!((found - wanted).abs() < 4e-3, "{found} {wanted} of {scores:?}");
        }
    }
}
