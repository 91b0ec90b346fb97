//! The only module that prints: data to stdout, messages to stderr.

use std::io::{self, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use crate::hints;
use crate::settings::Settings;
use crate::table::{Style, Table};

/// How a command shows its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Aligned columns for people, tabs for pipes.
    Table,
    /// A table for a README or a pull request.
    Markdown,
    /// Everything, with all digits.
    Json,
}

/// Prints results, notes and errors.
pub(crate) struct Printer {
    settings: Settings,
}

impl Printer {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Prints a table in the style that suits stdout.
    pub(crate) fn table(&self, table: &Table, output: Output) -> anyhow::Result<()> {
        let style = match output {
            Output::Markdown => Style::Markdown,
            _ if self.settings.styled => Style::Bold,
            _ if self.settings.stdout_is_terminal => Style::Aligned,
            _ => Style::Tabs,
        };
        data(&table.render(style))
    }

    /// Prints a text as it is.
    pub(crate) fn text(&self, text: &str) -> anyhow::Result<()> {
        data(text)
    }

    /// Prints a value as JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        data(&(serde_json::to_string_pretty(value)? + "\n"))
    }

    /// Prints a note to stderr, for people.
    pub(crate) fn note(&self, text: &str) {
        words(text);
    }

    /// Prints why the command failed, in one sentence, and a hint.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        words(&format!("error: {error:#}"));
        if let Some(hint) = hints::way_out(error) {
            words(&format!("hint: {hint}"));
        }
    }
}

/// Whether the reader of our output went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().map(io::Error::kind)
    };
    error.chain().any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}

fn data(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("cannot write to standard output")
}

fn words(text: &str) {
    // A failed write to stderr cannot be reported.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
