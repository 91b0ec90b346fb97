//! Streams of records: [`Documents`], [`Queries`], [`Triples`], [`IdTriples`].

use std::path::Path;

use super::columns::{Names, Row, outline_of};
use super::format::Format;
use super::lines::Lines;
use super::marco::{IdTriple, Triple};
use super::skipped::{LeftOut, Skipping, Unread};
use super::stream::{ReadSettings, Records};
use super::{beir, csv, jsonl, marco, table, texts, tsv};
use crate::document::{Document, Query};
use crate::error::ReadError;
use crate::source::{self, Source};

/// The documents of a collection, one at a time.
pub type Documents = Records<Document>;
/// The queries of a collection, one at a time.
pub type Queries = Records<Query>;
/// MS MARCO's training triples with their texts, one at a time.
pub type Triples = Records<Triple>;
/// MS MARCO's training triples by id, one at a time.
pub type IdTriples = Records<IdTriple>;

impl Records<Document> {
    /// Opens a file or a directory of documents.
    ///
    /// By default, a directory with `corpus.jsonl` is BEIR, any other a folder of texts. A file's
    /// suffix determines its format, see [`Format`]; any other file is read as a text.
    ///
    /// # Errors
    /// [`ReadError`] when the path does not open, has no known format, when its header lacks a
    /// column, or when the settings name columns of a format that has none.
    pub fn open(path: impl AsRef<Path>, settings: &ReadSettings) -> Result<Self, ReadError> {
        Self::open_below(path.as_ref(), None, settings, &LeftOut::default())
    }

    /// Opens documents; those of a folder are below a prefix.
    pub(super) fn open_below(
        path: &Path,
        prefix: Option<&str>,
        settings: &ReadSettings,
        left_out: &LeftOut,
    ) -> Result<Self, ReadError> {
        let directory = source::about(path)?.is_dir();
        let corpus = directory.then(|| beir::find(path, "corpus")).flatten();
        let is_text = directory || matches!(Format::of_name(path), None | Some(Format::Texts));
        match (settings.format, corpus) {
            (None | Some(Format::Beir), Some(corpus)) => {
                Self::of_records(Source::open(corpus)?, settings, left_out)
            }
            (Some(Format::Beir), None) if directory => {
                Err(ReadError::Missing { path: path.join("corpus.jsonl") })
            }
            (None, None) if is_text => Self::of_texts(path, prefix, settings, left_out),
            (Some(Format::Texts), _) => Self::of_texts(path, prefix, settings, left_out),
            _ => Self::of_records(Source::open(path)?, settings, left_out),
        }
    }

    fn of_texts(
        path: &Path,
        prefix: Option<&str>,
        settings: &ReadSettings,
        left_out: &LeftOut,
    ) -> Result<Self, ReadError> {
        check_no_columns(path, settings)?;
        texts::open(path, prefix, settings, left_out)
    }

    /// Reads documents from an open source; with [`Format::Texts`], the source is one document.
    ///
    /// # Errors
    /// As [`Documents::open`](Self::open).
    pub fn from_source(source: Source, settings: &ReadSettings) -> Result<Self, ReadError> {
        Self::of_records(source, settings, &LeftOut::default())
    }

    fn of_records(
        source: Source,
        settings: &ReadSettings,
        left_out: &LeftOut,
    ) -> Result<Self, ReadError> {
        let (names, format) = (Names::of_documents(&settings.columns), format(&source, settings));
        if format == Some(Format::Texts) {
            check_no_columns(source.path(), settings)?;
            return texts::of_source(source, left_out);
        }
        let accepted = "a .jsonl, .csv or .tsv file, or .gz or .zst of it";
        let mut lines = Lines::new(source);
        let mut next = entries(format, &mut lines, &names, accepted)?;
        let mut skipping = Skipping::new(settings.on_error, left_out.clone());
        let records = Self::of_lines(lines, "document", move |lines| {
            loop {
                let read = next(lines).map_err(Unread::from).and_then(|entry| match entry {
                    None => Ok(None),
                    Some(Entry::Row(row)) => names.document(row).map(Some),
                    Some(Entry::Pair([id, text])) => {
                        let outline = outline_of(&text);
                        Ok(Some(Document { id, text, outline, ..Default::default() }))
                    }
                });
                match read {
                    Ok(None) => return skipping.end().map(|()| None),
                    Ok(document) => return Ok(skipping.give(document)),
                    Err(bad) => skipping.skip(lines, bad)?,
                }
            }
        });
        Ok(records.leaving_out(left_out.clone()))
    }
}

impl Records<Query> {
    /// Opens a file of queries, or a BEIR directory, which has them in `queries.jsonl`.
    ///
    /// By default, a file's suffix determines its format; see [`Format`]. A `.txt` file is taken
    /// for TSV, as TREC's topics come. Settings for titles and metadata are ignored: a query has
    /// neither.
    ///
    /// # Errors
    /// [`ReadError`] when the path does not open, has no known format, when its header lacks a
    /// column, or when the settings name columns of a format that has none.
    pub fn open(path: impl AsRef<Path>, settings: &ReadSettings) -> Result<Self, ReadError> {
        let path = path.as_ref();
        if !source::about(path)?.is_dir() {
            return Self::from_source(Source::open(path)?, settings);
        }
        match beir::find(path, "queries") {
            Some(queries) => Self::from_source(Source::open(queries)?, settings),
            None => Err(ReadError::Missing { path: path.join("queries.jsonl") }),
        }
    }

    /// Reads queries from an open source of any format but [`Format::Texts`].
    ///
    /// # Errors
    /// As [`Queries::open`](Self::open).
    pub fn from_source(source: Source, settings: &ReadSettings) -> Result<Self, ReadError> {
        let (names, format) = (Names::of_queries(&settings.columns), format(&source, settings));
        let format = if format == Some(Format::Texts) { Some(Format::Tsv) } else { format };
        let accepted =
            "a BEIR directory or a .jsonl, .csv, .tsv or .txt file, or .gz or .zst of it";
        let mut lines = Lines::new(source);
        let mut next = entries(format, &mut lines, &names, accepted)?;
        Ok(Self::of_lines(lines, "query", move |lines| {
            Ok(match next(lines)? {
                None => None,
                Some(Entry::Row(row)) => Some(names.query(row)?),
                Some(Entry::Pair([id, text])) => Some(Query { id, text }),
            })
        }))
    }
}

impl Records<Triple> {
    /// Opens a file of query, positive and negative texts: `triples.train.small.tsv`.
    ///
    /// # Errors
    /// [`ReadError`] when the path does not open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        Ok(Self::of_lines(Lines::new(Source::open(path)?), "triple", marco::next_triple))
    }
}

impl Records<IdTriple> {
    /// Opens a file of query, positive and negative ids: `qidpidtriples.train.*.tsv`.
    ///
    /// # Errors
    /// [`ReadError`] when the path does not open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        Ok(Self::of_lines(Lines::new(Source::open(path)?), "triple", marco::next_id_triple))
    }
}

/// Fails if the settings name columns: texts have none.
fn check_no_columns(path: &Path, settings: &ReadSettings) -> Result<(), ReadError> {
    if Names::of_documents(&settings.columns).are_given() {
        let layout = if path.is_dir() { "a folder of texts" } else { "a text" };
        return Err(ReadError::NoColumns { path: path.into(), layout });
    }
    Ok(())
}

/// An entry of a format.
enum Entry {
    /// Named fields, which the columns turn into a record.
    Row(Row),
    /// An id and a text; MS MARCO's millions of passages need no map for two cells.
    Pair([String; 2]),
}

type NextEntry = Box<dyn FnMut(&mut Lines) -> Result<Option<Entry>, ReadError> + Send>;

fn format(source: &Source, settings: &ReadSettings) -> Option<Format> {
    settings.format.or_else(|| Format::of_name(source.path()))
}

/// Reads the header, if the format has one, and returns the reader of the entries after it.
fn entries(
    format: Option<Format>,
    lines: &mut Lines,
    names: &Names,
    accepted: &'static str,
) -> Result<NextEntry, ReadError> {
    Ok(match format {
        Some(Format::Beir | Format::Jsonl) => rows(jsonl::next_row),
        Some(Format::Csv) => rows(table::rows(lines, names, csv::next_record)?),
        Some(Format::Tsv) if tsv::has_header(lines, names)? => {
            rows(table::rows(lines, names, tsv::next_record)?)
        }
        Some(Format::Marco) if names.are_given() => {
            let path = lines.source().path().into();
            return Err(ReadError::NoColumns { path, layout: "an MS MARCO file" });
        }
        Some(Format::Tsv | Format::Marco) => {
            Box::new(|lines| Ok(marco::next_pair(lines)?.map(Entry::Pair)))
        }
        Some(Format::Texts) | None => {
            return Err(ReadError::UnknownFormat { path: lines.source().path().into(), accepted });
        }
    })
}

fn rows(
    mut next: impl FnMut(&mut Lines) -> Result<Option<Row>, ReadError> + Send + 'static,
) -> NextEntry {
    Box::new(move |lines| Ok(next(lines)?.map(Entry::Row)))
}
