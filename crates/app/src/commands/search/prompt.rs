//! A prompt that asks for one query after the other.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use fastlane::{Collection, CollectionError, Query, Search};
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

use super::show;
use crate::args::SearchArgs;
use crate::printer::Printer;

pub(super) fn run(
    args: &SearchArgs,
    collection: &Collection,
    search: &Search,
    printer: &Printer,
) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        return lines(args, collection, search, printer);
    }
    let config = Config::builder().auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config).context("cannot use this terminal")?;
    let documents = collection.stats().views.documents;
    printer.note(&format!("{documents} documents; enter a query, or press Ctrl-D to quit"));
    loop {
        match editor.readline("search> ") {
            Ok(line) => answer(args, collection, (&line, search), printer)?,
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(()),
            Err(error) => return Err(error).context("cannot read the terminal"),
        }
    }
}

/// Every line of a pipe is a query.
fn lines(
    args: &SearchArgs,
    collection: &Collection,
    search: &Search,
    printer: &Printer,
) -> anyhow::Result<()> {
    let mut asked = false;
    for line in std::io::stdin().lines() {
        let line = line.context("cannot read standard input")?;
        asked = true;
        answer(args, collection, (&line, search), printer)?;
    }
    if !asked {
        bail!("there is no query: pass one, or `--queries FILE`");
    }
    Ok(())
}

fn answer(
    args: &SearchArgs,
    collection: &Collection,
    (line, search): (&str, &Search),
    printer: &Printer,
) -> anyhow::Result<()> {
    match collection.search(&search.clone().query(Query::Text(line.to_owned()))) {
        // an empty line is skipped
        Err(CollectionError::EmptyQuery) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(found) if args.json => printer.json(&found),
        Ok(found) => show::found(&found, args.explain, collection, printer),
    }
}
