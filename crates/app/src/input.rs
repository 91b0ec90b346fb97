//! From arguments to open files: runs, judgements, documents and queries.

use std::io::{self, Read};
use std::path::Path;

use fastlane_corpus::{
    Columns, Document, Documents, Keep, LeftOut, OnError, Passage, PassageSettings, Queries, Query,
    ReadError, ReadSettings, Source, passages, words,
};
use fastlane_eval::{Qrels, Run};

use crate::args::{CorpusArgs, EncodeArgs, QueryArgs};
use crate::interrupt;
use crate::progress::{Progress, Unit};
use crate::settings::Settings;

/// Reads a TREC run, compressed or not.
pub(crate) fn run(path: &Path, settings: Settings) -> anyhow::Result<Run> {
    whole("reading run", path, settings, |source, name| Run::read(source, name))
}

/// Reads relevance judgements, compressed or not.
pub(crate) fn qrels(path: &Path, settings: Settings) -> anyhow::Result<Qrels> {
    whole("reading qrels", path, settings, |source, name| Qrels::read(source, name))
}

/// Reads a whole file under a progress bar; explains errors of a damaged stream.
fn whole<T>(
    what: &'static str,
    path: &Path,
    settings: Settings,
    read: impl FnOnce(&mut ProgressReader, &str) -> Result<T, fastlane_eval::ReadError>,
) -> anyhow::Result<T> {
    let source = Source::open(path)?;
    let bar = Progress::new(what, source.progress().total(), Unit::Bytes, settings);
    let mut reader = ProgressReader { source, bar };
    match read(&mut reader, &path.display().to_string()) {
        Err(fastlane_eval::ReadError::Io { line, source, .. }) => {
            interrupt::check()?;
            Err(reader.source.fault(line as u64 + 1, source).into())
        }
        read => Ok(read?),
    }
}

/// An open file that advances a progress bar and stops on Ctrl-C.
struct ProgressReader {
    source: Source,
    bar: Progress,
}

impl Read for ProgressReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        interrupt::check().map_err(io::Error::other)?;
        self.bar.set(self.source.progress().done());
        self.source.read(into)
    }
}

/// Read settings for documents, from the arguments.
pub(crate) fn of_corpus(args: &CorpusArgs) -> ReadSettings {
    ReadSettings {
        format: args.format,
        columns: Columns {
            id: args.id_column.clone(),
            title: args.title_column.clone(),
            text: args.text_column.clone(),
            metadata: args.metadata_columns.clone().map_or(Keep::Rest, Keep::Only),
        },
        on_error: if args.strict { OnError::Stop } else { OnError::Skip },
        include: args.include.clone(),
        exclude: args.exclude.clone(),
    }
}

/// Read settings for queries, from the arguments.
pub(crate) fn of_queries(args: &QueryArgs) -> ReadSettings {
    ReadSettings {
        format: args.query_format,
        columns: Columns {
            id: args.query_id_column.clone(),
            text: args.query_text_column.clone(),
            ..Columns::default()
        },
        ..ReadSettings::default()
    }
}

/// A text and its id.
pub(crate) type Text = (String, String);

/// Texts of either kind, one at a time.
pub(crate) struct Texts {
    texts: Box<dyn Iterator<Item = Result<Text, ReadError>> + Send>,
    pub(crate) progress: fastlane_corpus::Progress,
    /// Files of a folder without text.
    pub(crate) left_out: LeftOut,
}

impl Texts {
    /// Opens the documents, title and text as one field, or the queries to be encoded.
    pub(crate) fn open(args: &EncodeArgs) -> anyhow::Result<Self> {
        let settings = of_input(args);
        if args.query {
            let queries = Queries::open(&args.input, &settings)?;
            let progress = queries.progress();
            let text = |Query { id, text }| (id, text);
            let texts = Box::new(queries.map(move |query| query.map(text)));
            return Ok(Self { texts, progress, left_out: LeftOut::default() });
        }
        let documents = Documents::open(&args.input, &settings)?;
        let (progress, left_out) = (documents.progress(), documents.left_out());
        let is_folder = args.input.is_dir() && !args.input.join("corpus.jsonl").exists();
        let texts = documents.flat_map(move |document| match document {
            Ok(document) if is_folder => in_passages(&document),
            Ok(document) => vec![Ok((document.id.clone(), document.full_text().into_owned()))],
            Err(error) => vec![Err(error)],
        });
        Ok(Self { texts: Box::new(texts), progress, left_out })
    }
}

/// The passages of a file: the first has its id, the second `ID#2`.
fn in_passages(document: &Document) -> Vec<Result<Text, ReadError>> {
    let Document { id, title, text, .. } = document;
    let passage = |(number, passage): (usize, Passage)| {
        let id = if number == 1 { id.clone() } else { format!("{id}#{number}") };
        let (title, text) = (title.clone(), text[passage.bytes].to_owned());
        let part = Document { title, text, ..Document::default() };
        Ok((id, part.full_text().into_owned()))
    };
    (1..).zip(passages(document, PassageSettings::default(), &words)).map(passage).collect()
}

impl Iterator for Texts {
    type Item = anyhow::Result<Text>;

    fn next(&mut self) -> Option<Self::Item> {
        match interrupt::check() {
            Ok(()) => self.texts.next().map(|text| Ok(text?)),
            Err(asked) => Some(Err(asked.into())),
        }
    }
}

fn of_input(args: &EncodeArgs) -> ReadSettings {
    let columns = &args.input_as;
    ReadSettings {
        format: columns.format,
        columns: Columns {
            id: columns.id_column.clone(),
            title: columns.title_column.clone(),
            text: columns.text_column.clone(),
            metadata: Keep::Only(Vec::new()),
        },
        on_error: OnError::Stop,
        ..ReadSettings::default()
    }
}
