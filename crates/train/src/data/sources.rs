//! Reads pairs from the files that people have.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use fastlane_corpus::{
    Document, Documents, IdTriples, Queries, ReadSettings, Source as Input, Triples,
};
use fastlane_eval::Qrels;
use serde::Deserialize;

use super::pairs::{Examples, Pairs, Source};
use super::{DataError, Example};
use crate::run::{Kind, SourceSettings};

/// Reads all sources; `whole` keeps all documents, for negatives to be mined from.
pub(crate) fn read(settings: &[SourceSettings], whole: bool) -> Result<Pairs, DataError> {
    let mut pairs = Pairs::default();
    for source in settings {
        let mut reading = Reading { pairs: &mut pairs, settings: source, whole };
        let (examples, collection) = reading.read()?;
        if examples.is_empty() {
            return Err(DataError::NoPairs { path: source.path.clone() });
        }
        let (path, weight) = (source.path.clone(), source.weight);
        pairs.sources.push(Source { path, weight, examples, collection });
    }
    Ok(pairs)
}

/// Examples, and the numbers of all documents.
type Found = (Vec<Example>, Vec<u32>);

struct Reading<'a> {
    pairs: &'a mut Pairs,
    settings: &'a SourceSettings,
    whole: bool,
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

impl Reading<'_> {
    fn read(&mut self) -> Result<Found, DataError> {
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

    fn finish(&self, examples: Examples, collection: Vec<u32>) -> Found {
        (examples.finish(self.settings.limit), collection)
    }

    fn beir(&mut self, path: &Path) -> Result<Found, DataError> {
        let Judged { qrels, queries, judgements } = judged(path, &self.settings.split)?;
        let corpus = path.join("corpus.jsonl");
        let known: Option<HashSet<&str>> = (!self.whole).then(|| {
            let grades = qrels.queries().flat_map(|(_, judgements)| judgements.iter());
            grades.map(|(document, _)| document).collect()
        });
        let keep = |id: &str| known.as_ref().is_none_or(|known| known.contains(id));
        let (documents, collection) = self.documents(&corpus, keep)?;
        let mut examples = Examples::default();
        for (query, grades) in qrels.queries() {
            let text = queries
                .get(query)
                .ok_or_else(|| missing(&judgements, "query", query, &path.join("queries.jsonl")))?;
            let number = self.pairs.queries.add(text.clone());
            self.pairs.query_ids.insert(number, query.to_owned());
            for (document, grade) in grades.iter() {
                let document = *documents
                    .get(document)
                    .ok_or_else(|| missing(&judgements, "document", document, &corpus))?;
                if grade > 0 {
                    examples.add(number, document, []);
                }
            }
        }
        Ok(self.finish(examples, collection))
    }

    /// Reads documents, of which some are kept.
    fn documents(
        &mut self,
        path: &Path,
        keep: impl Fn(&str) -> bool,
    ) -> Result<(HashMap<String, u32>, Vec<u32>), DataError> {
        let (mut by_id, mut all) = (HashMap::new(), Vec::new());
        for document in Documents::open(path, &ReadSettings::default())? {
            let document = document?;
            if keep(&document.id) {
                let number = self.pairs.documents.add(document.full_text().into_owned());
                self.pairs.document_ids.insert(number, document.id.clone());
                by_id.insert(document.id, number);
                all.push(number);
            }
        }
        Ok((by_id, all))
    }

    fn triples(&mut self, path: &Path) -> Result<Found, DataError> {
        let (mut examples, mut all) = (Examples::default(), Vec::new());
        for triple in Triples::open(path)? {
            let triple = triple?;
            let query = self.pairs.queries.add(triple.query);
            let positive = self.pairs.documents.add(triple.positive);
            let negative = self.pairs.documents.add(triple.negative);
            all.extend([positive, negative]);
            examples.add(query, positive, [negative]);
        }
        Ok(self.finish(examples, all))
    }

    fn id_triples(&mut self, path: &Path) -> Result<Found, DataError> {
        let (documents_path, queries_path) = self.paths();
        let (documents, collection) = self.documents(&documents_path, |_| true)?;
        let queries = read_queries(&queries_path)?;
        let mut examples = Examples::default();
        for triple in IdTriples::open(path)? {
            let triple = triple?;
            let document = |id: &str| {
                let number = documents.get(id).copied();
                number.ok_or_else(|| missing(path, "document", id, &documents_path))
            };
            let (positive, negative) = (document(&triple.positive)?, document(&triple.negative)?);
            let text = queries
                .get(&triple.query)
                .ok_or_else(|| missing(path, "query", &triple.query, &queries_path))?;
            let query = self.pairs.queries.add(text.clone());
            self.pairs.query_ids.insert(query, triple.query);
            examples.add(query, positive, [negative]);
        }
        Ok(self.finish(examples, collection))
    }

    fn paths(&self) -> (PathBuf, PathBuf) {
        let SourceSettings { documents, queries, .. } = self.settings;
        let path = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
        (path(documents), path(queries))
    }

    fn jsonl(&mut self, path: &Path) -> Result<Found, DataError> {
        let (mut examples, mut all) = (Examples::default(), Vec::new());
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
            let query = self.pairs.queries.add(pair.query);
            let documents = &mut self.pairs.documents;
            let mut add = |text| documents.add(text);
            let negatives: Vec<u32> = pair.negatives.into_iter().map(&mut add).collect();
            let positives = match pair.positive {
                Positive::One(text) => vec![text],
                Positive::Many(texts) => texts,
            };
            all.extend(&negatives);
            for positive in positives {
                let positive = add(positive);
                all.push(positive);
                examples.add(query, positive, negatives.iter().copied());
            }
        }
        Ok(self.finish(examples, all))
    }

    /// Makes pairs of documents that nobody judged.
    fn alone(
        &mut self,
        path: &Path,
        pair: fn(&Document) -> Option<(String, String)>,
    ) -> Result<Found, DataError> {
        let (mut examples, mut all) = (Examples::default(), Vec::new());
        for document in Documents::open(path, &ReadSettings::default())? {
            if let Some((query, text)) = pair(&document?) {
                let query = self.pairs.queries.add(query);
                let document = self.pairs.documents.add(text);
                all.push(document);
                examples.add(query, document, []);
            }
        }
        Ok(self.finish(examples, all))
    }
}

/// Judgements and the queries that they are about.
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

fn missing(by: &Path, what: &'static str, id: &str, path: &Path) -> DataError {
    DataError::Missing { by: by.to_owned(), what, id: id.to_owned(), path: path.to_owned() }
}

/// The title searches for the text.
fn title(document: &Document) -> Option<(String, String)> {
    let some = !document.title.trim().is_empty() && !document.text.trim().is_empty();
    some.then(|| (document.title.clone(), document.text.clone()))
}

/// The longest of the middle sentences searches for the others: the first often is a heading, and
/// a short one says little.
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
