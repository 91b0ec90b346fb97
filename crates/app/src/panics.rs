//! Reports a panic as one sentence, like every other error.
//!
//! `RUST_BACKTRACE=1` adds a backtrace. Temporary files are cleaned up, because a panic unwinds.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The exit code after a panic: `EX_SOFTWARE` of BSD's sysexits.h.
pub(crate) const EXIT_CODE: u8 = 70;

/// The first panic: those after it are mostly its consequences.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Where each panic is reported at once, if at all.
static REPORT: OnceLock<fn(&str)> = OnceLock::new();

/// A bug in the program, or damage that it did not detect.
#[derive(Debug, thiserror::Error)]
#[error("internal error: {what}")]
pub(crate) struct Panicked {
    what: String,
}

impl Panicked {
    /// The hint.
    pub(crate) fn hint(&self) -> &'static str {
        "`fastlane check INDEX` finds damaged files; if there are none, please report this with \
         the output of `RUST_BACKTRACE=1`"
    }
}

/// Keeps the standard library from printing panics, unless a backtrace is wanted.
pub(crate) fn keep_quiet() {
    let usual = panic::take_hook();
    let traced = Backtrace::capture().status() == BacktraceStatus::Captured;
    panic::set_hook(Box::new(move |info| {
        if traced {
            usual(info);
        }
        let what = sentence(info);
        if let Some(report) = REPORT.get() {
            report(&what);
        }
        first().get_or_insert(what);
    }));
}

/// Reports each panic at once, for a service, which survives a panic in a request.
pub(crate) fn on_panic(report: fn(&str)) {
    let _ = REPORT.set(report);
}

/// Runs a command, and makes an error of a panic.
pub(crate) fn caught(run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let what = first().take().unwrap_or_else(|| "a panic without a message".to_owned());
        Err(Panicked { what }.into())
    })
}

fn first() -> MutexGuard<'static, Option<String>> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happened and where, on one line.
fn sentence(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload_as_str().unwrap_or("a panic without a message");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match info.location() {
        Some(place) => format!("{said} (at {}:{})", source(place.file()), place.line()),
        None => said,
    }
}

/// A source file without the place of Cargo's registry on the machine that compiled it.
fn source(file: &str) -> &str {
    let below = file.split_once("/registry/src/").and_then(|(_, below)| below.split_once('/'));
    below.map_or(file, |(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_by_its_name_and_version() {
        let file = "/home/me/.cargo/registry/src/index.crates.io-1949cf8c/half-2.7.1/src/lib.rs";
        assert_eq!(source(file), "half-2.7.1/src/lib.rs");
        assert_eq!(source("crates/app/src/main.rs"), "crates/app/src/main.rs");
    }

    #[test]
    fn defect_c2_a_panic_becomes_an_error_of_one_line() {
        let usual = panic::take_hook();
        keep_quiet();
        let one = caught(|| panic!("range end 602\nout of range")).unwrap_err();
        let in_a_thread = caught(|| {
            let worker = std::thread::spawn(|| panic!("the cause"));
            worker.join().map_err(|_| ()).expect("a consequence");
            Ok(())
        });
        let nothing = caught(|| Ok(()));
        panic::set_hook(usual);
        let said = format!("{one:#}");
        let wanted = "internal error: range end 602 out of range (at ";
        assert!(said.starts_with(wanted) && said.lines().count() == 1, "{said}");
        assert!(one.is::<Panicked>());
        let said = in_a_thread.unwrap_err().to_string();
        assert!(said.contains("the cause (at "), "{said}");
        assert!(nothing.is_ok());
    }
}
