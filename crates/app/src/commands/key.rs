//! `fastlane key`: a key for a service.

use anyhow::{Context as _, bail};
use fastlane_serve::{Keys, Scope, new_key};

use crate::args::{KeyArgs, ScopeArg};
use crate::printer::Printer;
use crate::storage;

pub(crate) fn run(args: &KeyArgs, printer: &Printer) -> anyhow::Result<()> {
    let KeyArgs { name, scope, keys } = args;
    if name.is_empty() || name.contains([':', '\n']) {
        bail!("`{name}` is no name of a key, wanted one without `:`");
    }
    let mut text = String::new();
    if keys.exists() {
        Keys::open(keys)?;
        text = std::fs::read_to_string(keys).context("cannot read the keys")?;
        if text.lines().any(|line| line.split(':').next() == Some(name)) {
            bail!("`{}` has a key of `{name}` already: remove its line first", keys.display());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    }
    let scope = match scope {
        ScopeArg::Read => Scope::Read,
        ScopeArg::Write => Scope::Write,
    };
    let (key, line) = new_key(name, scope)?;
    text += &line;
    text.push('\n');
    fastlane_durable::replace(keys, text.as_bytes()).with_context(|| storage::cannot_write(keys))?;
    printer.text(&format!("{key}\n"))
}
