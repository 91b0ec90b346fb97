//! `fastlane check`: whether an index is as it was written.

use anyhow::bail;
use fastlane::Collection;
use fastlane_engine::{Problem, Reader};

use super::views_of;
use crate::args::CheckArgs;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::{Progress, Unit};
use crate::table::bytes;

pub(crate) fn run(args: &CheckArgs, printer: &Printer) -> anyhow::Result<()> {
    let bar = Progress::new("checking", None, Unit::Bytes, printer.settings());
    let mut stopped = Ok(());
    let checked = Reader::check(&views_of(&args.index), |bytes| {
        bar.set(bytes);
        stopped = interrupt::check();
        stopped.is_ok()
    });
    drop(bar);
    stopped?;
    let mut checked = checked?;
    if Collection::is_there(&args.index) {
        let lost = Collection::open_without_model(&args.index)?.without_text()?;
        checked.problems.extend(lost.first().map(|first| Problem {
            path: args.index.clone(),
            what: format!("{} documents have views and no text, `{first}` the first", lost.len()),
        }));
    }
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
                "generation {}: {files} files, {bytes}, all whole",
                checked.generation
            ));
            Ok(())
        }
        count => bail!("the index at `{}` has {count} problems", args.index.display()),
    }
}
