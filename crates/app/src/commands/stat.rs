//! `fastlane stat`: what an index consists of.

use fastlane::Collection;
use fastlane_engine::{IndexSettings, Reader, Statistics};
use serde::Serialize;

use super::is_collection;
use crate::args::StatArgs;
use crate::printer::{Output, Printer};
use crate::table::{Align, Table, bytes};

pub(crate) fn run(args: &StatArgs, printer: &Printer) -> anyhow::Result<()> {
    let (views, stats) = match is_collection(&args.index)? {
        true => {
            // damage of the lexical index does not show in the views
            let collection = Collection::options().without_encoder().open(&args.index)?;
            (Collection::views(&args.index), Some(collection.stats()))
        }
        false => (args.index.clone(), None),
    };
    let reader = Reader::open(&views)?;
    let (settings, mut statistics) = (reader.settings(), reader.statistics());
    let passages = stats.as_ref().map(|stats| stats.passages);
    if let Some(stats) = &stats {
        // to the index of views, each passage is a document
        statistics.documents = stats.documents;
    }
    match args.json {
        true => printer.json(&Json { settings, passages, statistics: &statistics }),
        false => printer.table(&table(settings, passages, &statistics), Output::Table),
    }
}

#[derive(Serialize)]
struct Json<'a> {
    settings: &'a IndexSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    passages: Option<u64>,
    #[serde(flatten)]
    statistics: &'a Statistics,
}

fn table(settings: &IndexSettings, passages: Option<u64>, statistics: &Statistics) -> Table {
    let column = |name: &str, align| (name.to_owned(), align);
    let mut table = Table::new(vec![column("what", Align::Left), column("how much", Align::Right)]);
    let mut row = |what: &str, value: String| table.row(vec![what.to_owned(), value]);
    let Statistics { generation, documents, deleted, views, segments, lists, .. } = *statistics;
    row("generation", generation.to_string());
    row("documents", documents.to_string());
    if let Some(passages) = passages {
        row("passages", passages.to_string());
    }
    row("deleted, not compacted", deleted.to_string());
    row("views", format!("{views} x {}", settings.dim));
    if let Some(dim) = settings.token_dim {
        row("token views", format!("{} x {dim}", statistics.token_views));
    }
    row("segments", segments.to_string());
    row("lists", lists.to_string());
    row("hot bytes", bytes(statistics.hot_bytes));
    if views > 0 {
        let share = statistics.hot_bytes as f64 / views as f64;
        row("hot bytes a view", format!("{share:.1}"));
    }
    row("store", settings.store.to_string());
    row("bytes", bytes(statistics.bytes));
    if !settings.model.is_empty() {
        row("model", settings.model.clone());
    }
    table
}
