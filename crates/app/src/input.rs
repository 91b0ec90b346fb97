//! From arguments to open files: runs, judgements, documents and queries.

use std::io::{self, Read};
use std::path::Path;

use fastlane_corpus::{Columns, Keep, ReadSettings, Source};
use fastlane_eval::{Qrels, Run};

use crate::args::{CorpusArgs, QueryArgs};
use crate::interrupt;
use crate::progress::{Progress, Unit};
use crate::settings::Settings;

/// Reads a TREC run, packed or not.
pub(crate) fn run(path: &Path, settings: Settings) -> anyhow::Result<Run> {
    whole("reading run", path, settings, |source, name| Run::read(source, name))
}

/// Reads relevance judgements, packed or not.
pub(crate) fn qrels(path: &Path, settings: Settings) -> anyhow::Result<Qrels> {
    whole("reading qrels", path, settings, |source, name| Qrels::read(source, name))
}

/// Reads a whole file under a bar, and says what a broken stream means.
fn whole<T>(
    what: &'static str,
    path: &Path,
    settings: Settings,
    read: impl FnOnce(&mut Watched, &str) -> Result<T, fastlane_eval::ReadError>,
) -> anyhow::Result<T> {
    let source = Source::open(path)?;
    let bar = Progress::new(what, source.progress().total(), Unit::Bytes, settings);
    let mut watched = Watched { source, bar };
    match read(&mut watched, &path.display().to_string()) {
        Err(fastlane_eval::ReadError::Io { line, source, .. }) => {
            interrupt::check()?;
            Err(watched.source.fault(line as u64 + 1, source).into())
        }
        read => Ok(read?),
    }
}

/// An open file that moves a bar as it is read, and stops on Ctrl-C.
struct Watched {
    source: Source,
    bar: Progress,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        interrupt::check().map_err(io::Error::other)?;
        self.bar.set(self.source.progress().done());
        self.source.read(into)
    }
}

/// How the arguments want documents to be read.
pub(crate) fn of_corpus(args: &CorpusArgs) -> ReadSettings {
    ReadSettings {
        format: args.format,
        columns: Columns {
            id: args.id_column.clone(),
            title: args.title_column.clone(),
            text: args.text_column.clone(),
            metadata: args.metadata_columns.clone().map_or(Keep::Rest, Keep::Only),
        },
        ..ReadSettings::default()
    }
}

/// How the arguments want queries to be read.
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
