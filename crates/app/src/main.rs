//! The `fastlane` binary: parses arguments, resolves settings, runs one command.
//!
//! Data goes to stdout, messages to stderr. The exit code is 0 for success, 1 for an error, 2 for
//! invalid arguments, 70 for a panic, 130 after Ctrl-C.

mod args;
mod bundled;
mod commands;
mod filters;
mod hints;
mod input;
mod interrupt;
mod left_out;
mod model;
mod panics;
mod printer;
mod progress;
mod report;
mod resumable;
mod settings;
mod storage;
mod table;
mod temporary_index;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::interrupt::Interrupted;
use crate::panics::Panicked;
use crate::printer::Printer;
use crate::settings::Settings;

fn main() -> ExitCode {
    panics::keep_quiet();
    let args = Args::parse();
    let printer = Printer::new(Settings::from_environment());
    match panics::caught(|| run(args.command, &printer)) {
        Ok(()) => ExitCode::SUCCESS,
        // `fastlane eval ... | head` closes the pipe early: not a failure
        Err(error) if printer::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error {
        error if error.is::<Interrupted>() => ExitCode::from(130),
        error if error.is::<Panicked>() => ExitCode::from(panics::EXIT_CODE),
        _ => ExitCode::FAILURE,
    }
}

fn run(command: Command, printer: &Printer) -> anyhow::Result<()> {
    // `explain` has nothing to clean up, so a signal may end it at once; `delete` reads its input
    // first
    if !matches!(command, Command::Explain(_) | Command::Delete(_) | Command::Mcp(_)) {
        interrupt::watch()?;
    }
    match command {
        Command::Quickstart(args) => commands::quickstart::run(&args, printer),
        Command::Eval(args) => commands::eval::run(&args.distinct(), printer),
        Command::Bm25(args) => commands::bm25::run(&args, printer),
        Command::Convert(args) => commands::convert::run(&args, printer),
        Command::Encode(args) => commands::encode::run(&args, printer),
        Command::Explain(args) => commands::explain::run(&args, printer),
        Command::Train(args) => commands::train::run(&args, printer),
        Command::Index(args) => commands::index::run(&args, printer),
        Command::Search(args) => commands::search::run(&args, printer),
        Command::Serve(args) => commands::serve::run(&args, printer),
        Command::Mcp(args) => commands::mcp::run(&args, printer),
        Command::Key(args) => commands::key::run(&args, printer),
        Command::Completions(args) => commands::manual::completions(&args, printer),
        Command::Man => commands::manual::page(printer),
        Command::Delete(args) => commands::delete::run(&args, printer),
        Command::Compact(args) => commands::compact::run(&args, printer),
        Command::Stat(args) => commands::stat::run(&args, printer),
        Command::Check(args) => commands::check::run(&args, printer),
    }
}
