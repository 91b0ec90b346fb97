//! `fastlane index`: builds a collection from documents, or an index from a directory of views.

mod commit;
mod documents;
mod views;

use std::path::Path;

use fastlane::Reduction;

use crate::args::IndexArgs;
use crate::printer::Printer;

pub(super) use commit::{commit, commit_documents};
pub(super) use views::settings_of;

/// The file that marks a directory of views.
const VECTORS: &str = "vectors.npy";

pub(crate) fn run(args: &IndexArgs, printer: &Printer) -> anyhow::Result<()> {
    match args.inputs.iter().find(|input| holds_views(input)) {
        Some(input) if args.inputs.len() > 1 => anyhow::bail!(
            "`{}` is a directory of views, wanted it alone: index one such directory at a time",
            input.display()
        ),
        Some(input) => views::run(args, input, printer),
        None => documents::run(args, printer),
    }
}

fn holds_views(input: &Path) -> bool {
    input.join(VECTORS).is_file()
}

fn reduction(args: &IndexArgs) -> Reduction {
    Reduction {
        near_duplicates: Some(args.near_duplicates).filter(|&threshold| threshold < 1.0),
        importance: args.importance,
        diverse: args.diverse.map(|count| count as usize),
    }
}
