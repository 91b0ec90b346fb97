//! Reads pairs from the supported file formats.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use fastlane_corpus::{
    Document, Documents, IdTriples, OnError, Queries, ReadSettings, Source as Input, Triples,
};
use fastlane_eval::Qrels;
use serde::Deserialize;

use super::pairs::{Examples, Pairs, Source};
use super::{DataError, Example};
use crate::run::{Kind, Run, SourceSettings};

/// Reads all sources.
pub(crate) fn read(run: &Run) -> Result<Pairs, DataError> {
    let mut pairs = Pairs::default();
    let whole = run.negatives.mined();
    let scored = run.loss.teacher.as_ref().is_some_and(|teacher| teacher.scores.is_some());
    let ids = scored || run.teacher_views.any();
    for source in &run.data {
        let mut reader = SourceReader { pairs: &mut pairs, settings: source, whole, ids };
        let (examples, collection) = reader.read()?;
        if examples.is_empty() {
            return Err(DataError::NoPairs { path: source.path.clone() });
        }
        let (path, weight) = (source.path.clone(), source.weight);
        pairs.sources.push(Source { path, weight, examples, collection });
    }
    pairs.share_answers();
    Ok(pairs)
}

/// A run stops at what cannot be read: it would learn from other data than its run file names.
fn strict() -> ReadSettings {
    ReadSettings { on_error: OnError::Stop, ..ReadSettings::default() }
}

/// Examples, and the numbers of all documents.
type ReadExamples = (Vec<Example>, Vec<u32>);

struct SourceReader<'a> {
    pairs: &'a mut Pairs,
    settings: &'a SourceSettings,
    /// Whether all documents are stored, for mining negatives.
    whole: bool,
    /// Whether ids are stored, for a teacher's scores or views.
    ids: bool,
}

/// A line of pairs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    query: String,
    positive: Positive,
    #[serde(default)]
    negatives: Vec<String>,
}

/// One answer, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Positive {
    One(String),
    Many(Vec<String>),
}

impl SourceReader<'_> {
    fn read(&mut self) -> Result<ReadExamples, DataError> {
        let path = self.settings.path.clone();
        match self.settings.kind {
            Kind::Beir => self.beir(&path),
            Kind::Triples => self.triples(&path),
            Kind::IdTriples => self.id_triples(&path),
            Kind::Jsonl => self.jsonl(&path),
            Kind::InverseCloze => self.alone(&path, inverse_cloze),
            Kind::Titles => self.alone(&path, title),
        }
    }

    fn examples(&self) -> Examples {
        Examples::new(self.settings.limit)
    }

    /// Adds a query with its id in the file.
    fn query(&mut self, id: &str, text: &str) -> u32 {
        let number = self.pairs.queries.add(text.to_owned());
        if self.ids {
            self.pairs.query_ids.add(id, number);
        }
        number
    }

    fn beir(&mut self, path: &Path) -> Result<ReadExamples, DataError> {
        let Judged { qrels, queries, judgements } = judged(path, &self.settings.split)?;
        let corpus = path.join("corpus.jsonl");
        let answered = qrels.queries().filter(|(_, grades)| grades.iter().any(|(_, it)| it > 0));
        let chosen: Vec<_> = answered.take(self.settings.limit.unwrap_or(usize::MAX)).collect();
        let known: Option<HashSet<&str>> = (!self.whole).then(|| {
            let grades = chosen.iter().flat_map(|(_, judgements)| judgements.iter());
            grades.map(|(document, _)| document).collect()
        });
        let keep = |id: &str| known.as_ref().is_none_or(|known| known.contains(id));
        let (documents, collection) = self.documents(&corpus, keep)?;
        let mut examples = self.examples();
        for (query, grades) in chosen {
            let text = queries
                .get(query)
                .ok_or_else(|| missing(&judgements, "query", query, &path.join("queries.jsonl")))?;
            let number = self.query(query, text);
            for (document, grade) in grades.iter() {
                let document = *documents
                    .get(document)
                    .ok_or_else(|| missing(&judgements, "document", document, &corpus))?;
                if grade > 0 {
                    examples.add(number, document, []);
                }
            }
        }
        Ok((examples.finish(), collection))
    }

    /// Reads documents, and stores some of them.
    fn documents(
        &mut self,
        path: &Path,
        keep: impl Fn(&str) -> bool,
    ) -> Result<(HashMap<String, u32>, Vec<u32>), DataError> {
        let (mut by_id, mut all) = (HashMap::new(), Vec::new());
        for document in Documents::open(path, &strict())? {
            let document = document?;
            if keep(&document.id) {
                let number = self.pairs.documents.add(document.full_text().into_owned());
                if self.ids {
                    self.pairs.document_ids.add(&document.id, number);
                }
                by_id.insert(document.id, number);
                all.push(number);
            }
        }
        Ok((by_id, all))
    }

    fn triples(&mut self, path: &Path) -> Result<ReadExamples, DataError> {
        let (mut examples, mut all) = (self.examples(), Vec::new());
        for triple in Triples::open(path)? {
            let triple = triple?;
            let takes = examples.takes(self.pairs.queries.number(&triple.query));
            if !takes && !self.whole {
                continue;
            }
            let positive = self.pairs.documents.add(triple.positive);
            let negative = self.pairs.documents.add(triple.negative);
            all.extend([positive, negative]);
            if takes {
                examples.add(self.pairs.queries.add(triple.query), positive, [negative]);
            }
        }
        Ok((examples.finish(), all))
    }

    fn id_triples(&mut self, path: &Path) -> Result<ReadExamples, DataError> {
        let (documents_path, queries_path) = self.paths();
        let queries = read_queries(&queries_path)?;
        let known = if self.whole { None } else { Some(self.named(path, &queries)?) };
        let keep = |id: &str| known.as_ref().is_none_or(|known| known.contains(id));
        let (documents, collection) = self.documents(&documents_path, keep)?;
        let mut examples = self.examples();
        for triple in IdTriples::open(path)? {
            let triple = triple?;
            let text = queries
                .get(&triple.query)
                .ok_or_else(|| missing(path, "query", &triple.query, &queries_path))?;
            if !examples.takes(self.pairs.queries.number(text)) {
                continue;
            }
            let document = |id: &str| {
                let number = documents.get(id).copied();
                number.ok_or_else(|| missing(path, "document", id, &documents_path))
            };
            let (positive, negative) = (document(&triple.positive)?, document(&triple.negative)?);
            examples.add(self.query(&triple.query, text), positive, [negative]);
        }
        Ok((examples.finish(), collection))
    }

    /// The documents that triples name, up to the limit of queries.
    fn named(
        &self,
        path: &Path,
        queries: &HashMap<String, String>,
    ) -> Result<HashSet<String>, DataError> {
        let limit = self.settings.limit.unwrap_or(usize::MAX);
        let (mut texts, mut documents) = (HashSet::new(), HashSet::new());
        for triple in IdTriples::open(path)? {
            let triple = triple?;
            // two ids may have the same text, which is one query
            let text = queries.get(&triple.query);
            if texts.len() < limit || texts.contains(&text) {
                texts.insert(text);
                documents.extend([triple.positive, triple.negative]);
            }
        }
        Ok(documents)
    }

    fn paths(&self) -> (PathBuf, PathBuf) {
        let SourceSettings { documents, queries, .. } = self.settings;
        let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
        (path(documents), path(queries))
    }

    fn jsonl(&mut self, path: &Path) -> Result<ReadExamples, DataError> {
        let (mut examples, mut all) = (self.examples(), Vec::new());
        let mut reader = BufReader::new(Input::open(path)?);
        let mut line = String::new();
        for number in 1.. {
            line.clear();
            let read = std::io::BufRead::read_line(&mut reader, &mut line);
            let read = read.map_err(|source| DataError::Open { path: path.to_owned(), source })?;
            if read == 0 {
                break;
            }
            if line.trim().is_empty() {
                continue;
            }
            let pair: Pair = serde_json::from_str(&line).map_err(|source| DataError::Pair {
                path: path.to_owned(),
                line: number,
                source,
            })?;
            self.pair(pair, &mut examples, &mut all);
        }
        Ok((examples.finish(), all))
    }

    /// Adds a line of pairs, if there is room for its query.
    fn pair(&mut self, pair: Pair, examples: &mut Examples, all: &mut Vec<u32>) {
        let takes = examples.takes(self.pairs.queries.number(&pair.query));
        if !takes && !self.whole {
            return;
        }
        let documents = &mut self.pairs.documents;
        let mut add = |text| documents.add(text);
        let negatives: Vec<u32> = pair.negatives.into_iter().map(&mut add).collect();
        let positives: Vec<u32> = match pair.positive {
            Positive::One(text) => vec![add(text)],
            Positive::Many(texts) => texts.into_iter().map(&mut add).collect(),
        };
        all.extend(negatives.iter().chain(&positives));
        if takes {
            let query = self.pairs.queries.add(pair.query);
            for positive in positives {
                examples.add(query, positive, negatives.iter().copied());
            }
        }
    }

    /// Makes pairs from documents without judgements.
    fn alone(
        &mut self,
        path: &Path,
        pair: fn(&Document) -> Option<(String, String)>,
    ) -> Result<ReadExamples, DataError> {
        let (mut examples, mut all) = (self.examples(), Vec::new());
        for document in Documents::open(path, &strict())? {
            if let Some((query, text)) = pair(&document?) {
                let (positive, negatives) = (Positive::One(text), Vec::new());
                self.pair(Pair { query, positive, negatives }, &mut examples, &mut all);
            }
        }
        Ok((examples.finish(), all))
    }
}

/// Judgements and their queries.
pub(crate) struct Judged {
    pub(crate) qrels: Qrels,
    pub(crate) queries: HashMap<String, String>,
    /// The file of the judgements.
    pub(crate) judgements: PathBuf,
}

/// Reads a split of a BEIR directory.
pub(crate) fn judged(directory: &Path, split: &str) -> Result<Judged, DataError> {
    let judgements = directory.join("qrels").join(format!("{split}.tsv"));
    let file = File::open(&judgements)
        .map_err(|source| DataError::Open { path: judgements.clone(), source })?;
    let qrels = Qrels::read(BufReader::new(file), &judgements.display().to_string())?;
    Ok(Judged { qrels, queries: read_queries(&directory.join("queries.jsonl"))?, judgements })
}

fn read_queries(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let each = Queries::open(path, &ReadSettings::default())?;
    each.map(|query| query.map(|query| (query.id, query.text)).map_err(Into::into)).collect()
}

pub(crate) fn missing(by: &Path, what: &'static str, id: &str, path: &Path) -> DataError {
    DataError::Missing { by: by.to_owned(), what, id: id.to_owned(), path: path.to_owned() }
}

/// A pair with the title as the query, and the text as its answer.
fn title(document: &Document) -> Option<(String, String)> {
    let some = !document.title.trim().is_empty() && !document.text.trim().is_empty();
    some.then(|| (document.title.clone(), document.text.clone()))
}

/// A pair with the longest of the middle sentences as the query, and the others as its answer: the
/// first sentence is often a heading, and a short one has little information.
fn inverse_cloze(document: &Document) -> Option<(String, String)> {
    let sentences: Vec<&str> = document.text.split_inclusive(['.', '!', '?', '\n']).collect();
    let inner = sentences.get(1..sentences.len().saturating_sub(1))?;
    let (place, query) =
        (1..).zip(inner).max_by_key(|(place, it)| (it.len(), usize::MAX - place))?;
    let rest: String = sentences[..place].iter().chain(&sentences[place + 1..]).copied().collect();
    let enough = query.split_whitespace().count() >= 4;
    enough.then(|| (query.trim().to_owned(), rest.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_searches_for_its_document() {
        let text = "Birds. They fly over the wide sea. Some do not. They swim.";
        let document = Document { text: text.to_owned(), ..Document::default() };
        let (query, rest) = inverse_cloze(&document).unwrap();
        assert_eq!(query, "They fly over the wide sea.");
        assert_eq!(rest, "Birds. Some do not. They swim.");
        let short = Document { text: "One. Two.".to_owned(), ..Document::default() };
        assert_eq!(inverse_cloze(&short), None);
    }
}
