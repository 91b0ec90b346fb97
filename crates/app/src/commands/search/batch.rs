//! Writes the results of many queries as a TREC run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use fastlane::{Collection, Search};
use fastlane_corpus::{Queries, Query, ReadSettings};
use fastlane_eval::{Hit, Ranking, Run, Score, check_id};

use super::how;
use crate::args::SearchArgs;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::settings::threads;
use crate::storage::{Target, cannot_write};

/// Queries that are encoded together, and looked up together.
const CHUNK: usize = 256;
/// The default number of documents per query of a run.
const DEEP: u32 = 100;

pub(super) fn run(
    args: &SearchArgs,
    collection: &Collection,
    (queries, run): (&PathBuf, &PathBuf),
    printer: &Printer,
) -> anyhow::Result<()> {
    let k = args.k.unwrap_or(DEEP) as usize;
    let search = how("", &args.how)?.k(k);
    let rerank = if search.rerank > 0 { search.rerank.max(k) } else { 0 };
    let search = search.rerank(rerank);
    let target = Target::new(run, &[queries, &args.index])?;
    let queries = read(queries)?;
    let began = Instant::now();
    let mut silent = 0;
    target.write(|out| {
        let total = Some(queries.len() as u64);
        let bar = Progress::new("searching", total, Unit::Things("queries"), printer.settings());
        for (place, chunk) in queries.chunks(CHUNK).enumerate() {
            interrupt::check()?;
            bar.set((place * CHUNK) as u64);
            let ranked = rank(args, collection, chunk, &search)?;
            silent += ranked.rankings().filter(|(_, ranking)| ranking.hits().is_empty()).count();
            ranked.write(&mut *out).with_context(|| cannot_write(run))?;
        }
        // last check for Ctrl-C: an interrupted command must not replace the old run
        Ok(interrupt::check()?)
    })?;
    let (count, seconds) = (queries.len(), began.elapsed().as_secs_f64());
    if silent > 0 {
        printer.note(&format!("warning: queries without results: {silent}"));
    }
    let rate = count as f64 / seconds;
    printer.note(&format!("queries: {count} in {seconds:.1} s, {rate:.0} a second"));
    Ok(())
}

/// Reads all queries; checks first that a run can hold their ids.
fn read(path: &Path) -> anyhow::Result<Vec<Query>> {
    let (mut queries, mut seen) = (Vec::new(), HashSet::new());
    for query in Queries::open(path, &ReadSettings::default())? {
        let query = query?;
        check_id("query", &query.id)?;
        if !seen.insert(query.id.clone()) {
            bail!("query `{}` appears twice in `{}`", query.id, path.display());
        }
        queries.push(query);
    }
    Ok(queries)
}

/// The rankings of some queries.
fn rank(
    args: &SearchArgs,
    collection: &Collection,
    queries: &[Query],
    search: &Search,
) -> anyhow::Result<Run> {
    let asked = |query: &Query| search.clone().query(fastlane::Query::Text(query.text.clone()));
    let searches: Vec<Search> = queries.iter().map(asked).collect();
    let found = collection.rank_many(&searches, threads(args.threads))?;
    let mut run = Run::new(args.tag.as_str());
    for (query, ranked) in queries.iter().zip(found) {
        run.insert(query.id.as_str(), ranking(ranked)?);
    }
    Ok(run)
}

fn ranking(ranked: Vec<(String, f32)>) -> anyhow::Result<Ranking> {
    let hits = ranked.into_iter().map(|(id, score)| {
        check_id("document", &id)?;
        let finite = score.to_string().parse().ok().and_then(Score::new);
        let score = finite.with_context(|| format!("the score of `{id}` is {score}"))?;
        Ok(Hit { document: id.into(), score })
    });
    Ok(Ranking::new(hits.collect::<anyhow::Result<_>>()?)?)
}
