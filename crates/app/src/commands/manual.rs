//! `fastlane completions` and `fastlane man`: generated from the arguments.

use clap::CommandFactory as _;
use clap_complete::generate;
use clap_mangen::Man;

use crate::args::{Args, CompletionsArgs};
use crate::printer::Printer;

pub(crate) fn completions(args: &CompletionsArgs, printer: &Printer) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut Args::command(), "fastlane", &mut script);
    printer.text(&String::from_utf8(script)?)
}

/// All commands on one page.
pub(crate) fn page(printer: &Printer) -> anyhow::Result<()> {
    let mut page = Vec::new();
    let mut command = Args::command();
    command.build();
    Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_display_name().unwrap_or(subcommand.get_name()).to_uppercase();
        page.extend(format!(".SH {name}\n").bytes());
        let man = Man::new(subcommand.clone());
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    printer.text(&String::from_utf8(page)?)
}
