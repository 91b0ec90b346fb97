//! TREC runs: `query Q0 document rank score tag`, one line per returned document.

use std::collections::BTreeMap;
use std::io::{BufWriter, Read, Write};

use super::error::{Fault, FileKind, ReadError, WriteError, excerpt};
use super::text::{Text, columns};
use crate::run::{Hit, Ranking, Run, Score};

impl Run {
    /// Reads a TREC run; `name` is the file's name in errors.
    ///
    /// The rank is checked to be a number and otherwise ignored: scores determine the order.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with the line, for anything that is not a run.
    pub fn read(reader: impl Read, name: &str) -> Result<Self, ReadError> {
        let text = Text::read(reader, name)?;
        let (tag, hits) = group(&text)?;
        let mut run = Self::new(tag);
        for (query, hits) in hits {
            let ranking =
                Ranking::new(hits).map_err(|twice| text.duplicate(query, &twice.document, ids))?;
            run.insert(query, ranking);
        }
        Ok(run)
    }

    /// Writes the run in TREC's format, ranks counted from 1, scores so that they read back equal.
    ///
    /// # Errors
    ///
    /// [`WriteError::Id`] for an id that the format cannot represent.
    pub fn write(&self, writer: impl Write) -> Result<(), WriteError> {
        let mut out = BufWriter::new(writer);
        check_id("tag", self.tag())?;
        for (query, ranking) in self.rankings() {
            check_id("query", query)?;
            for (hit, rank) in ranking.hits().iter().zip(1..) {
                check_id("document", &hit.document)?;
                let (document, score) = (&hit.document, hit.score.get());
                writeln!(out, "{query} Q0 {document} {rank} {score} {}", self.tag())?;
            }
        }
        Ok(out.flush()?)
    }
}

/// Checks that an id does not shift a run's columns or turn a line into a comment.
///
/// [`Run::write`] checks every id; call this to find out before a long computation. `what` is the
/// noun for the message: `query`, `document` or `tag`.
///
/// # Errors
///
/// [`WriteError::Id`] for an id that is empty, holds a space or a control character, or begins a
/// line with `#`.
pub fn check_id(what: &'static str, id: &str) -> Result<(), WriteError> {
    let breaks = |c: char| c == ' ' || c.is_control() || c == '\u{feff}';
    if id.is_empty() || id.contains(breaks) || (what == "query" && id.starts_with('#')) {
        return Err(WriteError::Id { what, id: excerpt(id) });
    }
    Ok(())
}

/// The tag that all lines share, and the hits of each query.
fn group<'a>(text: &'a Text<'_>) -> Result<(&'a str, BTreeMap<&'a str, Vec<Hit>>), ReadError> {
    let mut tag = None;
    // Lines of one query are adjacent in nearly every run: one look-up per stretch, not per line.
    let mut stretches: Vec<(&str, Vec<Hit>)> = Vec::new();
    for (number, line) in text.lines() {
        let (query, hit, found) = parse(line).map_err(|fault| text.fault(number, fault))?;
        let first = *tag.get_or_insert(found);
        if first != found {
            let (found, first) = (excerpt(found), excerpt(first));
            return Err(text.fault(number, Fault::MixedTags { found, first }));
        }
        match stretches.last_mut() {
            Some((last, hits)) if *last == query => hits.push(hit),
            _ => stretches.push((query, vec![hit])),
        }
    }
    let tag = tag.ok_or_else(|| text.empty(FileKind::Run))?;
    let mut queries = BTreeMap::<_, Vec<Hit>>::new();
    for (query, hits) in stretches {
        queries.entry(query).or_default().extend(hits);
    }
    Ok((tag, queries))
}

fn parse(line: &str) -> Result<(&str, Hit, &str), Fault> {
    let [query, _, document, rank, score, tag] =
        columns(line).map_err(|found| wrong_columns(line, found))?;
    number("rank", rank)?;
    let found = number("score", score)?;
    let score = Score::new(found).ok_or_else(|| Fault::NotFinite { found: excerpt(score) })?;
    Ok((query, Hit { document: document.into(), score }, tag))
}

fn ids(line: &str) -> Option<(&str, &str)> {
    columns::<6>(line).ok().map(|[query, _, document, ..]| (query, document))
}

fn number(column: &'static str, text: &str) -> Result<f64, Fault> {
    text.parse().map_err(|_| Fault::NotANumber { column, found: excerpt(text) })
}

fn wrong_columns(line: &str, found: usize) -> Fault {
    let last_is_grade =
        line.split_ascii_whitespace().next_back().is_some_and(|last| last.parse::<i32>().is_ok());
    let text = excerpt(line);
    if found == 4 && last_is_grade || line.starts_with("query-id\t") {
        return Fault::WrongKind { text, found: FileKind::Qrels, wanted: FileKind::Run };
    }
    Fault::Columns { found, text, wanted: FileKind::Run }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_queries_and_any_white_space_are_read() {
        let text = "\u{feff}# made by hand\r\nq1\tQ0\tb\t2\t 1.5\tt\r\n\r\nq2 Q0 a 1 -2e1 t\r\n  q1 0 a 1 3 t";
        let run = Run::read(text.as_bytes(), "x.run").unwrap();
        let mut out = Vec::new();
        run.write(&mut out).unwrap();
        let written = "q1 Q0 a 1 3 t\nq1 Q0 b 2 1.5 t\nq2 Q0 a 1 -20 t\n";
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }

    #[test]
    fn ids_the_format_cannot_carry_are_not_written() {
        for (query, document, tag, what) in [
            ("q 1", "d", "t", "query `q 1`"),
            ("#1", "d", "t", "query `#1`"),
            ("q", "", "t", "document ``"),
            ("q", "d\n", "t", "document `d\\n`"),
            ("q", "d", "my tag", "tag `my tag`"),
        ] {
            let hit = Hit { document: document.into(), score: Score::new(1.0).unwrap() };
            let mut run = Run::new(tag);
            run.insert(query, Ranking::new(vec![hit]).unwrap());
            let error = run.write(Vec::new()).unwrap_err().to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
