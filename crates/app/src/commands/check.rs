//! `fastlane check`: verifies an index.

use anyhow::bail;
use fastlane::Collection;
use fastlane_engine::Reader;

use super::is_collection;
use crate::args::CheckArgs;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::table::bytes;

pub(crate) fn run(args: &CheckArgs, printer: &Printer) -> anyhow::Result<()> {
    let bar = Progress::new("checking", None, Unit::Bytes, printer.settings());
    let mut stopped = Ok(());
    let watch = |bytes| {
        bar.set(bytes);
        stopped = interrupt::check();
        stopped.is_ok()
    };
    let checked = match is_collection(&args.index)? {
        true => Collection::check(&args.index, watch).map_err(anyhow::Error::from),
        false => Reader::check(&args.index, watch).map_err(anyhow::Error::from),
    };
    drop(bar);
    stopped?;
    let checked = checked?;
    for problem in &checked.problems {
        printer.note(&format!("`{}` is damaged: {}", problem.path.display(), problem.what));
    }
    if args.json {
        printer.json(&checked)?;
    }
    match checked.problems.len() {
        0 => {
            let (files, bytes) = (checked.files, bytes(checked.bytes));
            printer.note(&format!(
                "generation {}: {files} files, {bytes}, all intact",
                checked.generation
            ));
            Ok(())
        }
        count => bail!("the index at `{}` has {count} problems", args.index.display()),
    }
}
