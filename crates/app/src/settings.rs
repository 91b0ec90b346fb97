//! Settings from the environment: the only module that reads environment variables.

use std::io::IsTerminal as _;
use std::num::NonZero;

/// How to print: terminals, widths and styles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// A person reads stdout: align tables.
    pub(crate) stdout_is_terminal: bool,
    /// How many columns the terminal on stdout has.
    pub(crate) stdout_columns: Option<usize>,
    /// A person reads stderr: draw progress bars.
    pub(crate) stderr_is_terminal: bool,
    /// Whether stdout may use bold and dim.
    pub(crate) styled: bool,
}

impl Settings {
    pub(crate) fn from_environment() -> Self {
        let stdout_is_terminal = std::io::stdout().is_terminal();
        Self {
            stdout_is_terminal,
            stdout_columns: stdout_is_terminal.then(stdout_columns),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            styled: stdout_is_terminal && !asks_for_plain_text(),
        }
    }
}

/// The width of the terminal, or 80.
fn stdout_columns() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stdout());
    size.map_or(80, |(width, _)| width.0.into())
}

/// The requested number of threads, but at most one per core.
///
/// More threads only take more memory.
pub(crate) fn threads(asked: Option<u16>) -> NonZero<usize> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let asked = asked.and_then(|threads| NonZero::new(threads.into()));
    asked.map_or(cores, |asked| asked.min(cores))
}

/// The conventions of <https://no-color.org> and of terminals that can do nothing.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn asks_for_plain_text() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
