//! `fastlane search`: one query, a prompt, or a file of queries.

mod batch;
mod prompt;
pub(super) mod show;

use std::path::Path;

use anyhow::Context as _;
use fastlane::{Collection, Filter, Fusion, Kind, Search, Settings, kind};

use crate::args::{FusionArg, HowArgs, SearchArgs};
use crate::filters;
use crate::printer::Printer;
use crate::settings::threads;

/// The default number of documents to show.
const SHOWN: u32 = 10;

pub(crate) fn run(args: &SearchArgs, printer: &Printer) -> anyhow::Result<()> {
    let query = args.query.as_deref().unwrap_or_default();
    let search = how(query, &args.how)?.k(args.k.unwrap_or(SHOWN) as usize);
    let collection = open((&args.index, args.model.as_deref()), args.threads, printer)?;
    if collection.stats().views.documents == 0 {
        printer.note(
            "warning: the index has no documents\nhint: index them again: an interrupted \
             run adds none",
        );
    } else if let Some(filter) = &search.filter {
        let passes = |filter: &Filter| collection.count(filter).map(|count| count > 0);
        filters::warning(filter, passes)?.iter().for_each(|warning| printer.note(warning));
    }
    if let (Some(queries), Some(run)) = (&args.queries, &args.run) {
        return batch::run(args, &collection, (queries, run), printer);
    }
    if args.query.is_none() {
        return prompt::run(args, &collection, &search, printer);
    }
    let found = collection.search(&search)?;
    match args.json {
        true => printer.json(&found),
        false => show::found(&found, args.explain, &collection, printer),
    }
}

/// A search for a text, from the arguments.
pub(crate) fn how(text: &str, args: &HowArgs) -> anyhow::Result<Search> {
    let filter = args.filter.as_deref().map(str::parse::<Filter>).transpose();
    let fusion = args.hybrid.map(|how| match how {
        FusionArg::Ranks => Fusion::Ranks,
        FusionArg::Scores => Fusion::Scores,
    });
    Ok(Search::text(text)
        .lanes(args.lanes.into())
        .rerank(args.rerank as usize)
        .fusion(fusion)
        .filter(filter.context("cannot read the filter")?)
        .group(args.group)
        .context(args.context.into()))
}

/// Opens a collection with its own model, or with the given one.
pub(crate) fn open(
    (index, model): (&Path, Option<&Path>),
    asked: Option<u16>,
    printer: &Printer,
) -> anyhow::Result<Collection> {
    if kind(index).is_ok_and(|kind| kind == Kind::Views) {
        anyhow::bail!(
            "`{}` holds views without texts: index documents with `fastlane index DOCUMENTS \
             --output INDEX --model DIR`",
            index.display()
        );
    }
    let settings = Settings { threads: threads(asked), ..Settings::default() };
    let mut options = Collection::options().model_settings(settings);
    if let Some(model) = model {
        options = options.model(model);
    }
    let collection = options.open(index)?;
    if collection.has_earlier_fingerprint() {
        let index = index.display();
        printer.note(&format!(
            "`{index}` has a model fingerprint from an earlier version: `fastlane index \
             DOCUMENTS --output {index} --update` updates it"
        ));
    }
    Ok(collection)
}
