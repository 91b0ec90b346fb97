//! Reports what readers left out: files without text, and files and records that cannot be read.

use fastlane_corpus::{LeftOut, LeftOutKind, Part, Skipped};
use serde::Serialize;

use crate::printer::Printer;

/// Files and records that are named on standard error; `--json` has all of them.
const NAMED: usize = 10;
/// More than one document in this many that is left out is worth a warning.
const SHARE: u64 = 5;

/// All that was left out of an input.
pub(crate) struct LeftOutReport {
    skipped: Vec<Skipped>,
    kinds: Vec<LeftOutKind>,
    /// Files that are not in UTF-8: paths, with the encoding they were read in.
    reencoded: Vec<(String, &'static str)>,
}

/// A file or record that cannot be read, as `--json` lists it.
#[derive(Serialize)]
pub(crate) struct Entry {
    path: String,
    why: String,
}

/// Files of one kind that were left out for one reason, as `--json` counts them.
#[derive(Serialize)]
pub(crate) struct KindEntry {
    kind: String,
    reason: &'static str,
    count: u64,
    first: String,
}

impl LeftOutReport {
    /// Takes what was left out; complete when the stream has ended. `skipped` was taken before.
    pub(crate) fn new(mut skipped: Vec<Skipped>, list: &LeftOut) -> Self {
        skipped.extend(list.take());
        let reencoded = list.reencoded().into_iter();
        let reencoded = reencoded.map(|it| (it.path.display().to_string(), it.encoding)).collect();
        Self { skipped, kinds: list.kinds(), reencoded }
    }

    /// What cannot be read.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry = |bad: &Skipped| Entry { path: bad.path.display().to_string(), why: why(bad) };
        self.skipped.iter().map(entry).collect()
    }

    /// All that was left out, by kind and reason.
    pub(crate) fn kinds(&self) -> Vec<KindEntry> {
        let entry = |it: &LeftOutKind| KindEntry {
            kind: it.kind.clone(),
            reason: it.reason,
            count: it.count,
            first: it.first.display().to_string(),
        };
        self.kinds.iter().map(entry).collect()
    }

    /// Prints what was left out of `read` documents and itself.
    ///
    /// `kept` is how many documents of skipped files stay in an index that is updated.
    pub(crate) fn warn(&self, read: u64, kept: u64, printer: &Printer) {
        self.warn_of_encodings(printer);
        if self.kinds.is_empty() {
            return;
        }
        let counts =
            self.kinds.iter().map(|it| format!("{} {} ({})", it.count, it.kind, it.reason));
        printer.note(&format!("left out: {}", counts.collect::<Vec<_>>().join(", ")));
        let count: u64 = self.kinds.iter().map(|it| it.count).sum();
        if count * SHARE > count + read {
            printer.note(&format!(
                "warning: {count} of {} files and records were left out, more than a fifth",
                count + read
            ));
        }
        self.name(printer);
        if kept > 0 {
            printer.note(&format!(
                "documents of files that cannot be read, kept in the index: {kept}"
            ));
        }
        if let Some(hint) = self.skipped.iter().find_map(|bad| bad.why.hint()) {
            printer.note(&format!("hint: {hint}"));
        }
    }

    /// Names the first of those that cannot be read.
    fn name(&self, printer: &Printer) {
        for bad in self.skipped.iter().take(NAMED) {
            let of = if bad.part == Part::Record { "record: " } else { "" };
            printer.note(&format!("  {of}{}", why(bad).replace(char::is_control, "�")));
        }
        if self.skipped.len() > NAMED {
            printer.note(&format!("  and {} more", self.skipped.len() - NAMED));
        }
    }

    fn warn_of_encodings(&self, printer: &Printer) {
        for (path, encoding) in self.reencoded.iter().take(NAMED) {
            let path = path.replace(char::is_control, "�");
            printer.note(&format!("warning: `{path}` is not UTF-8, and was read as {encoding}"));
        }
        if self.reencoded.len() > NAMED {
            let more = self.reencoded.len() - NAMED;
            printer.note(&format!("warning: and {more} more files that are not UTF-8"));
        }
    }
}

/// The error with its causes; it names the file.
fn why(bad: &Skipped) -> String {
    let mut words = bad.why.to_string();
    let mut cause = std::error::Error::source(&bad.why);
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    words
}
