//! The terms of a query and the weight of each in the whole index.

use std::collections::BTreeMap;
use std::io;

use tantivy::postings::TermInfo;

use super::analyzer::Analyzer;
use super::bm25;
use super::error::LexicalSearchError;
use super::pace::Pace;
use super::search::List;
use super::segment::Segment;

pub(super) struct QueryWord {
    weight: f32,
    /// Where its list lies, for each segment that has one.
    infos: Vec<Option<TermInfo>>,
}

/// The words that occur in the index, by falling weight; equal weights by the word.
pub(super) fn words_of(
    query: &str,
    analyzer: Analyzer,
    (segments, documents): (&[Segment], u64),
    pace: &Pace<'_>,
) -> Result<Vec<QueryWord>, LexicalSearchError> {
    let mut repetitions = BTreeMap::<String, u32>::new();
    for word in analyzer.words(query) {
        *repetitions.entry(word).or_default() += 1;
    }
    let mut words = Vec::with_capacity(repetitions.len());
    for (word, repetitions) in repetitions {
        pace.step()?;
        words.extend(QueryWord::new(&word, repetitions, segments, documents)?);
    }
    words.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Ok(words)
}

impl QueryWord {
    /// `None` when no surviving document has the word.
    fn new(
        word: &str,
        repetitions: u32,
        segments: &[Segment],
        documents: u64,
    ) -> io::Result<Option<Self>> {
        let mut infos = Vec::with_capacity(segments.len());
        let mut frequency = 0;
        for segment in segments {
            let info = segment.words.terms().get(word)?;
            frequency += info.as_ref().map_or(Ok(0), |info| segment.document_frequency(info))?;
            infos.push(info);
        }
        let weight = (bm25::idf(documents, frequency) * f64::from(repetitions)) as f32;
        Ok((frequency > 0).then_some(QueryWord { weight, infos }))
    }

    /// The word's list in the segment at `place`, if it has one.
    pub(super) fn list(&self, place: usize, segment: &Segment) -> io::Result<Option<List>> {
        let Some(info) = &self.infos[place] else { return Ok(None) };
        Ok(Some(List { postings: segment.list(info)?, weight: self.weight }))
    }
}
