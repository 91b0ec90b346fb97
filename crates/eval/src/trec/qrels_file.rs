//! Qrels: TREC's `query 0 document relevance`, BEIR's `query-id<TAB>corpus-id<TAB>score`.

use std::io::{BufWriter, Read, Write};

use super::error::{Fault, FileKind, ReadError, WriteError, excerpt};
use super::run_file::check_id;
use super::text::{Text, columns};
use crate::qrels::Qrels;

/// The format of a qrels file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QrelsFormat {
    /// Four columns between white space: `query 0 document relevance`.
    #[default]
    Trec,
    /// A header and three columns between tabs; ids may hold spaces.
    Beir,
}

impl QrelsFormat {
    /// BEIR if there is its header, or three tab-separated cells that are not TREC's four columns.
    fn of(first_line: &str) -> Self {
        let three_cells = first_line.split('\t').count() == 3;
        let four_columns = columns::<4>(first_line).is_ok();
        if is_header(first_line) || (three_cells && !four_columns) {
            Self::Beir
        } else {
            Self::Trec
        }
    }

    fn parse(self, line: &str) -> Result<(&str, &str, i32), Fault> {
        let (query, document, grade) = match self {
            Self::Beir => tab_columns(line)?,
            Self::Trec => {
                let [query, _, document, grade] =
                    columns(line).map_err(|found| wrong_columns(line, found))?;
                (query, document, grade)
            }
        };
        let grade = grade.parse().map_err(|_| Fault::Relevance { found: excerpt(grade) })?;
        Ok((query, document, grade))
    }
}

impl Qrels {
    /// Reads TREC or BEIR qrels, detected by the first line; `name` is the file's name in errors.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with the line, for anything that is not a qrels file.
    pub fn read(reader: impl Read, name: &str) -> Result<Self, ReadError> {
        let text = Text::read(reader, name)?;
        let (_, first) = text.lines().next().ok_or_else(|| text.empty(FileKind::Qrels))?;
        let format = QrelsFormat::of(first);
        let header = usize::from(is_header(first));
        let mut qrels = Self::default();
        for (number, line) in text.lines().skip(header) {
            let (query, document, grade) =
                format.parse(line).map_err(|fault| text.fault(number, fault))?;
            if qrels.insert(query, document, grade).is_some() {
                return Err(text.duplicate(query, document, |line| {
                    format.parse(line).ok().map(|(query, document, _)| (query, document))
                }));
            }
        }
        if qrels.queries().len() == 0 { Err(text.empty(FileKind::Qrels)) } else { Ok(qrels) }
    }

    /// Writes the judgements in `format`, queries and documents in byte order.
    ///
    /// # Errors
    ///
    /// [`WriteError::Id`] for an id that the format cannot represent.
    pub fn write(&self, writer: impl Write, format: QrelsFormat) -> Result<(), WriteError> {
        let mut out = BufWriter::new(writer);
        if format == QrelsFormat::Beir {
            writeln!(out, "query-id\tcorpus-id\tscore")?;
        }
        for (query, judgements) in self.queries() {
            for (document, grade) in judgements.iter() {
                check(format, "query", query)?;
                check(format, "document", document)?;
                match format {
                    QrelsFormat::Trec => writeln!(out, "{query} 0 {document} {grade}")?,
                    QrelsFormat::Beir => writeln!(out, "{query}\t{document}\t{grade}")?,
                }
            }
        }
        Ok(out.flush()?)
    }
}

/// Between tabs a space is allowed.
fn check(format: QrelsFormat, what: &'static str, id: &str) -> Result<(), WriteError> {
    match format {
        QrelsFormat::Trec => check_id(what, id),
        QrelsFormat::Beir if id.trim_ascii() == id => check_id(what, &id.replace(' ', "_")),
        QrelsFormat::Beir => Err(WriteError::Id { what, id: excerpt(id) }),
    }
}

/// `query-id<TAB>corpus-id<TAB>score`, also as other exports spell it.
fn is_header(line: &str) -> bool {
    let cells: Vec<String> =
        line.split('\t').map(|cell| cell.trim_ascii().to_ascii_lowercase()).collect();
    let [query, _, score] = &cells[..] else { return false };
    matches!(query.as_str(), "query-id" | "query_id" | "qid") && score.parse::<i32>().is_err()
}

fn tab_columns(line: &str) -> Result<(&str, &str, &str), Fault> {
    let mut columns = line.split('\t').map(str::trim_ascii);
    match [columns.next(), columns.next(), columns.next(), columns.next()] {
        [Some(query), Some(document), Some(grade), None]
            if !query.is_empty() && !document.is_empty() =>
        {
            Ok((query, document, grade))
        }
        _ => {
            let found = line.split('\t').filter(|column| !column.trim_ascii().is_empty()).count();
            Err(Fault::Columns { found, text: excerpt(line), wanted: FileKind::Qrels })
        }
    }
}

fn wrong_columns(line: &str, found: usize) -> Fault {
    let text = excerpt(line);
    match columns::<6>(line) {
        Ok([_, _, _, rank, score, _])
            if rank.parse::<f64>().is_ok() && score.parse::<f64>().is_ok() =>
        {
            Fault::WrongKind { text, found: FileKind::Run, wanted: FileKind::Qrels }
        }
        _ => Fault::Columns { found, text, wanted: FileKind::Qrels },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, format: QrelsFormat) -> String {
        let mut out = Vec::new();
        Qrels::read(text.as_bytes(), "x").unwrap().write(&mut out, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn both_formats_are_told_apart_and_written() {
        let beir = "query-id\tcorpus-id\tscore\r\n1\tmy doc\t1\r\n1\ta\t-1\r\n";
        let again = "query-id\tcorpus-id\tscore\n1\ta\t-1\n1\tmy doc\t1\n";
        assert_eq!(rewritten(beir, QrelsFormat::Beir), again);
        let trec = "\u{feff}# grades by two people\n1 0 a 2\n\n2\tQ0\tb\t0";
        assert_eq!(rewritten(trec, QrelsFormat::Trec), "1 0 a 2\n2 0 b 0\n");
        assert_eq!(rewritten("1\ta\t2\n", QrelsFormat::Trec), "1 0 a 2\n", "no header");
        let mixed = "1\t0 d05\t1\nqid 0 d06 1\n";
        assert_eq!(rewritten(mixed, QrelsFormat::Trec), "1 0 d05 1\nqid 0 d06 1\n", "four columns");
        assert_eq!(rewritten("qid\t0\td\t1", QrelsFormat::Trec), "qid 0 d 1\n", "no header");
    }

    #[test]
    fn an_id_with_a_space_fits_beir_only() {
        let qrels = Qrels::read("qid\tdocid\trel\n1\tmy doc\t1\n".as_bytes(), "x").unwrap();
        let error = qrels.write(Vec::new(), QrelsFormat::Trec).unwrap_err();
        assert!(error.to_string().starts_with("document `my doc`"), "{error}");
    }
}
