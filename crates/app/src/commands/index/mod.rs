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
    match holds_views(&args.input) {
        true => views::run(args, printer),
        false => documents::run(args, printer),
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
