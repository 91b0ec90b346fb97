//! Teacher scores of another system: from a file, or BM25 computed on demand.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use fastlane_corpus::Analyzer;

use super::DataError;
use super::pairs::Pairs;
use crate::run::TeacherSettings;

/// The teacher's scores of documents for queries.
#[derive(Debug)]
pub(crate) enum Teacher {
    /// Scores from a file.
    Table(Table),
    /// BM25 over all training documents.
    Bm25(Bm25),
}

/// Scores by the numbers of query and document.
#[derive(Debug, Default)]
pub(crate) struct Table {
    scores: HashMap<(u32, u32), f32>,
    /// A hash of them, in the order of the file.
    hash: u64,
}

impl Teacher {
    pub(crate) fn read(settings: &TeacherSettings, pairs: &Pairs) -> Result<Self, DataError> {
        match &settings.scores {
            Some(path) => Ok(Self::Table(table(path, pairs)?)),
            None => Ok(Self::Bm25(Bm25::new(pairs.queries.all(), pairs.documents.all()))),
        }
    }

    /// The score, NaN where there is none.
    pub(crate) fn score(&self, query: u32, document: u32) -> f32 {
        match self {
            Self::Table(table) => table.scores.get(&(query, document)).copied().unwrap_or(f32::NAN),
            Self::Bm25(bm25) => bm25.score(query, document),
        }
    }

    /// A hash of the scores; BM25 has none of its own, because its scores follow from the texts.
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Table(table) => table.hash,
            Self::Bm25(_) => 0,
        }
    }
}

/// Reads lines of query id, document id and score.
fn table(path: &Path, pairs: &Pairs) -> Result<Table, DataError> {
    let open = |source| DataError::Open { path: path.to_owned(), source };
    let mut table = Table::default();
    for (number, line) in (1..).zip(BufReader::new(File::open(path).map_err(open)?).lines()) {
        let line = line.map_err(open)?;
        let cells: Vec<&str> = line.split('\t').collect();
        let score = match cells.as_slice() {
            [_, _, score] => score.trim().parse::<f32>().ok().filter(|score| score.is_finite()),
            _ => None,
        };
        let bad = || DataError::Score { path: path.to_owned(), line: number };
        let score = score.ok_or_else(bad)?;
        let found = (pairs.query_ids.get(cells[0]), pairs.document_ids.get(cells[1]));
        let (Some(query), Some(document)) = found else { continue };
        let twice = |what, id: &str| {
            let (path, id) = (path.to_owned(), id.to_owned());
            DataError::TwoTexts { path, line: number, what, id }
        };
        let query = query.ok_or_else(|| twice("queries", cells[0]))?;
        let document = document.ok_or_else(|| twice("documents", cells[1]))?;
        table.scores.insert((query, document), score);
        let numbers = [query, document, score.to_bits()];
        table.hash = super::hash_of(table.hash, numbers.into_iter());
    }
    match table.scores.is_empty() {
        true => Err(DataError::NoScores { path: path.to_owned() }),
        false => Ok(table),
    }
}

/// BM25 between any query and any document, with Anserini's 0.9 and 0.4.
///
/// ```text
/// Σ_w ln(1 + (N - df + ½)/(df + ½)) · tf/(tf + 0.9 (0.6 + 0.4 |d|/mean))
/// ```
#[derive(Debug)]
pub(crate) struct Bm25 {
    queries: Vec<Vec<u32>>,
    /// The sorted words of each document, with their frequencies.
    documents: Vec<Vec<(u32, u32)>>,
    weights: Vec<f32>,
    lengths: Vec<f32>,
}

impl Bm25 {
    fn new(queries: &[String], documents: &[String]) -> Self {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut numbered = |text: &String| -> Vec<u32> {
            let number = |word| {
                let next = numbers.len() as u32;
                *numbers.entry(word).or_insert(next)
            };
            Analyzer::English.words(text).into_iter().map(number).collect()
        };
        let mut counted = Vec::new();
        for document in documents {
            let mut found = numbered(document);
            found.sort_unstable();
            let mut counts: Vec<(u32, u32)> = Vec::new();
            for word in found {
                match counts.last_mut() {
                    Some((last, count)) if *last == word => *count += 1,
                    _ => counts.push((word, 1)),
                }
            }
            counted.push(counts);
        }
        let asked = queries.iter().map(numbered).collect();
        let mut with = vec![0_u32; numbers.len()];
        counted.iter().flatten().for_each(|&(word, _)| with[word as usize] += 1);
        let all = documents.len() as f64;
        let weight = |&df: &u32| (1.0 + (all - f64::from(df) + 0.5) / (f64::from(df) + 0.5)).ln();
        let weights = with.iter().map(|df| weight(df) as f32).collect();
        let count = |words: &Vec<(u32, u32)>| words.iter().map(|&(_, count)| count as f32).sum();
        let lengths: Vec<f32> = counted.iter().map(count).collect();
        let mean = lengths.iter().sum::<f32>() / all.max(1.0) as f32;
        let lengths = lengths.into_iter().map(|length| length / mean.max(1.0)).collect();
        Self { queries: asked, documents: counted, weights, lengths }
    }

    fn score(&self, query: u32, document: u32) -> f32 {
        let words = &self.documents[document as usize];
        let damping = 0.9 * (0.6 + 0.4 * self.lengths[document as usize]);
        let part = |word: &u32| {
            let place = words.binary_search_by_key(word, |&(word, _)| word).ok()?;
            let tf = words[place].1 as f32;
            Some(self.weights[*word as usize] * tf / (tf + damping))
        };
        self.queries[query as usize].iter().filter_map(part).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(lines: &str, pairs: &Pairs) -> Result<Table, DataError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        table(file.path(), pairs)
    }

    #[test]
    fn scores_go_to_the_texts_of_their_ids() {
        let mut pairs = Pairs::default();
        // two sources have a query `1`, each another; one text has two ids
        for (id, text) in [("1", 0), ("1", 4), ("2", 2), ("3", 2)] {
            pairs.query_ids.add(id, text);
        }
        pairs.document_ids.add("d", 7);
        let found = read("2\td\t0.5\n9\td\t1.0\n", &pairs).unwrap();
        assert_eq!(found.scores, HashMap::from([((2, 7), 0.5)]));
        let other = read("3\td\t0.25\n", &pairs).unwrap();
        assert_eq!(other.scores, HashMap::from([((2, 7), 0.25)]));
        assert_ne!(found.hash, other.hash);
        let error = read("2\td\t0.5\n1\td\t1.0\n", &pairs).unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("line 2 of `"), "{told}");
        assert!(told.ends_with("names the id `1`, which two queries have"), "{told}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn bm25_by_hand() {
        let texts =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let bm25 = Bm25::new(&texts(&["red fox"]), &texts(&["Red fox red", "The big dog"]));
        // both words are in one of two documents: ln 2; lengths are 3 and 2, the mean 2.5
        let damping = 0.9 * (0.6 + 0.4 * 1.2);
        let wanted = 2.0_f32.ln() * (2.0 / (2.0 + damping) + 1.0 / (1.0 + damping));
        assert!((bm25.score(0, 0) - wanted).abs() < 1e-6);
        assert_eq!(bm25.score(0, 1), 0.0);
    }
}
