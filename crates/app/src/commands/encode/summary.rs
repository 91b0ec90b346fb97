//! The summary of `fastlane encode`.

use std::path::Path;

use serde::Serialize;

use super::counted;
use crate::args::EncodeArgs;
use crate::printer::Printer;

/// The content of the report.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    pub(super) output: &'a Path,
    pub(super) model: &'a Path,
    pub(super) instructions: &'static str,
    pub(super) side: &'static str,
    pub(super) texts: u64,
    pub(super) views: u64,
    /// The texts of earlier calls.
    pub(super) continued_after: u64,
    /// Files of a folder that gave no text.
    pub(super) empty_files: u64,
    /// Of this call, and so is the speed.
    pub(super) seconds: f64,
    pub(super) tokens_per_second: f64,
    pub(super) cut: Cut,
}

/// Texts that were too long.
#[derive(Debug, Serialize)]
pub(super) struct Cut {
    pub(super) most_tokens: usize,
    pub(super) texts: u64,
    pub(super) bytes: u64,
    pub(super) longest: u64,
}

impl Summary<'_> {
    pub(super) fn print(&self, args: &EncodeArgs, printer: &Printer) -> anyhow::Result<()> {
        if self.empty_files > 0 {
            printer.note(&format!("files skipped as empty: {}", self.empty_files));
        }
        self.warning().iter().for_each(|warning| printer.note(warning));
        printer.note(&self.line());
        if args.json { printer.json(self) } else { Ok(()) }
    }

    fn warning(&self) -> Option<String> {
        let Cut { most_tokens, texts, bytes, longest } = self.cut;
        (texts > 0).then(|| {
            let all = counted(self.texts, self.side);
            format!(
                "warning: {texts} of {all} exceeded {most_tokens} tokens and were truncated: \
                 {bytes} bytes cut, at most {longest} from one text"
            )
        })
    }

    fn line(&self) -> String {
        let Self { views, continued_after, seconds, .. } = self;
        let texts = counted(self.texts, self.side);
        let earlier = match continued_after {
            0 => String::new(),
            before => format!(", {before} of them earlier"),
        };
        format!(
            "{texts}, {views} views{earlier}, encoded in {seconds:.1} s: {:.0} tokens/s \
             with {}",
            self.tokens_per_second, self.instructions
        )
    }
}
