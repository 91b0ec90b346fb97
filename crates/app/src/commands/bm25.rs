//! `fastlane bm25`: ranks a collection by BM25 for a set of queries.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use fastlane_corpus::{
    Analyzer, Bm25, Documents, Filter, LexicalReader, LexicalSearch, LexicalSettings,
    LexicalWriteError, LexicalWriter, Queries, Query,
};
use fastlane_eval::{Hit, Ranking, Run, Score, check_id};

use tempfile::TempDir;

use crate::args::{AnalyzerArg, Bm25Args};
use crate::filters;
use crate::left_out::LeftOutReport;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::settings::threads;
use crate::storage::{Target, cannot_write};
use crate::temporary_index::TemporaryIndexError;
use crate::{input, interrupt};

/// Queries per batch: searched between two checks for Ctrl-C, and held in memory with their hits.
const CHUNK: usize = 128;

pub(crate) fn run(args: &Bm25Args, printer: &Printer) -> anyhow::Result<()> {
    let began = Instant::now();
    let search = search_settings(args)?;
    let target = Target::new(&args.run, &[&args.corpus, &args.queries])?;
    let queries = read_queries(args)?;

    let directory = temporary_directory()?;
    let documents = index(args, directory.path(), printer)?;
    let indexed = began.elapsed();

    let searcher = Searcher { reader: LexicalReader::open(directory.path())?, search, args };
    searcher.warn_of_a_filter_that_passes_nothing(printer)?;
    let mut silent = 0;
    target.write(|out| {
        silent = searcher.answer(&queries, out, printer)?;
        Ok(())
    })?;
    if silent > 0 {
        let all = queries.len();
        printer.note(&format!("warning: {silent} of {all} queries found nothing"));
    }
    printer.note(&format!(
        "{documents} documents indexed in {:.1} s, {} queries answered in {:.1} s",
        indexed.as_secs_f64(),
        queries.len(),
        (began.elapsed() - indexed).as_secs_f64(),
    ));
    Ok(())
}

fn search_settings(args: &Bm25Args) -> anyhow::Result<LexicalSearch> {
    let filter = args.filter.as_deref().map(str::parse::<Filter>).transpose()?;
    Ok(LexicalSearch { k: args.k as usize, bm25: Bm25::new(args.k1, args.b)?, filter })
}

/// Reads all queries; checks before the long work that a run can hold their ids.
fn read_queries(args: &Bm25Args) -> anyhow::Result<Vec<Query>> {
    let mut queries = Vec::new();
    let mut seen = HashSet::new();
    for query in Queries::open(&args.queries, &input::of_queries(&args.queries_as))? {
        let query = query?;
        check_id("query", &query.id)?;
        if !seen.insert(query.id.clone()) {
            bail!("query `{}` appears twice in `{}`", query.id, args.queries.display());
        }
        queries.push(query);
    }
    Ok(queries)
}

/// The directory of the temporary index.
fn temporary_directory() -> anyhow::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("fastlane-").tempdir();
    directory.map_err(|error| {
        TemporaryIndexError { source: std::io::Error::from(error.kind()).into() }.into()
    })
}

fn cannot_index(path: &Path, error: LexicalWriteError) -> anyhow::Error {
    let source = anyhow::Error::new(error).context(format!("in `{}`", path.display()));
    TemporaryIndexError { source: source.into() }.into()
}

/// Indexes every document and tells how many there were.
fn index(args: &Bm25Args, path: &Path, printer: &Printer) -> anyhow::Result<u64> {
    let analyzer = match args.analyzer {
        AnalyzerArg::English => Analyzer::English,
        AnalyzerArg::Plain => Analyzer::Plain,
    };
    let mut writer =
        LexicalWriter::create(path, LexicalSettings { analyzer }, threads(args.threads))?;
    let documents = Documents::open(&args.corpus, &input::of_corpus(&args.corpus_as))?;
    let (progress, left_out) = (documents.progress(), documents.left_out());
    let bar = Progress::new("indexing", progress.total(), Unit::Bytes, printer.settings());
    let mut count = 0;
    for document in documents {
        interrupt::check()?;
        let document = document?;
        count += 1;
        let place = || format!("cannot index document {count} of `{}`", args.corpus.display());
        check_id("document", &document.id).with_context(place)?;
        writer.add(&document).map_err(|error| match error {
            LexicalWriteError::Index { .. } => cannot_index(path, error),
            error => anyhow::Error::new(error).context(place()),
        })?;
        bar.set(progress.done());
    }
    if progress.empty() > 0 {
        printer.note(&format!("files skipped as empty: {}", progress.empty()));
    }
    LeftOutReport::new(Vec::new(), &left_out).warn(count, 0, printer);
    writer.finish().map_err(|error| cannot_index(path, error))?;
    Ok(count)
}

/// An index with its search parameters.
struct Searcher<'a> {
    reader: LexicalReader,
    search: LexicalSearch,
    args: &'a Bm25Args,
}

impl Searcher<'_> {
    /// Writes the hits of every query, batch by batch, and returns how many queries had none.
    ///
    /// Memory does not grow with the number of queries.
    fn answer(
        &self,
        queries: &[Query],
        out: &mut dyn Write,
        printer: &Printer,
    ) -> anyhow::Result<usize> {
        let total = Some(queries.len() as u64);
        let bar = Progress::new("searching", total, Unit::Things("queries"), printer.settings());
        let mut silent = 0;
        for (place, chunk) in queries.chunks(CHUNK).enumerate() {
            interrupt::check()?;
            bar.set((place * CHUNK) as u64);
            let run = self.answer_chunk(chunk)?;
            silent += run.rankings().filter(|(_, ranking)| ranking.hits().is_empty()).count();
            run.write(&mut *out).with_context(|| cannot_write(&self.args.run))?;
        }
        // Last check for Ctrl-C: an interrupted command must not replace the old run.
        interrupt::check()?;
        Ok(silent)
    }

    fn answer_chunk(&self, queries: &[Query]) -> anyhow::Result<Run> {
        let texts: Vec<&str> = queries.iter().map(|query| query.text.as_str()).collect();
        let hits = self.reader.search_many(&texts, &self.search, threads(self.args.threads))?;
        let mut run = Run::new(self.args.tag.as_str());
        for (query, hits) in queries.iter().zip(hits) {
            run.insert(query.id.as_str(), ranking(hits)?);
        }
        Ok(run)
    }

    fn warn_of_a_filter_that_passes_nothing(&self, printer: &Printer) -> anyhow::Result<()> {
        if let Some(filter) = &self.search.filter {
            let passes = |filter: &_| self.reader.matching(filter).map(|found| !found.is_empty());
            filters::warning(filter, passes)?.iter().for_each(|warning| printer.note(warning));
        }
        Ok(())
    }
}

fn ranking(hits: Vec<fastlane_corpus::Hit>) -> anyhow::Result<Ranking> {
    let hit = |hit: fastlane_corpus::Hit| {
        let score = score(hit.score)
            .with_context(|| format!("the score of `{}` is {}", hit.id, hit.score))?;
        Ok(Hit { document: hit.id.into(), score })
    };
    Ok(Ranking::new(hits.into_iter().map(hit).collect::<anyhow::Result<_>>()?)?)
}

/// The shortest decimal that reads back as `score`: widening would append digits of noise. `None` if
/// it is not finite.
fn score(score: f32) -> Option<Score> {
    score.to_string().parse().ok().and_then(Score::new)
}
