//! Reports files of a folder that were skipped because they cannot be read.

use fastlane_corpus::BadFile;
use serde::Serialize;

use crate::printer::Printer;

/// Files that are named on standard error; `--json` has all of them.
const NAMED: usize = 10;

/// A file that was left out, as `--json` lists it.
#[derive(Serialize)]
pub(crate) struct Entry {
    path: String,
    why: String,
}

impl Entry {
    /// All files that were left out.
    pub(crate) fn of(all: &[BadFile]) -> Vec<Self> {
        let entry = |bad: &BadFile| Self { path: bad.path.display().to_string(), why: why(bad) };
        all.iter().map(entry).collect()
    }
}

/// Prints how many files were skipped, and which.
///
/// `kept` is how many of their documents stay in an index that is updated.
pub(crate) fn warn(all: &[BadFile], kept: u64, printer: &Printer) {
    if all.is_empty() {
        return;
    }
    let folders = all.iter().filter(|bad| bad.is_folder).count();
    let counts = [counted(all.len() - folders, "file"), counted(folders, "folder")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let stay = match kept {
        0 => String::new(),
        _ => format!("; their documents kept in the index: {kept}"),
    };
    printer.note(&format!("skipped: {}{stay}", counts.join(" and ")));
    for bad in all.iter().take(NAMED) {
        printer.note(&format!("  {}", why(bad).replace(char::is_control, "�")));
    }
    if all.len() > NAMED {
        printer.note(&format!("  and {} more", all.len() - NAMED));
    }
    if let Some(hint) = all.iter().find_map(|bad| bad.why.hint()) {
        printer.note(&format!("hint: {hint}"));
    }
}

/// The error with its causes; it names the file.
fn why(bad: &BadFile) -> String {
    let mut words = bad.why.to_string();
    let mut cause = std::error::Error::source(&bad.why);
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    words
}

fn counted(count: usize, one: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {one}s")),
    }
}
