//! `fastlane key`: creates an API key for a service.

use anyhow::{Context as _, bail};
use fastlane_serve::{Keys, Scope, new_key};

use crate::args::{KeyArgs, ScopeArg};
use crate::printer::Printer;
use crate::storage;

pub(crate) fn run(args: &KeyArgs, printer: &Printer) -> anyhow::Result<()> {
    let KeyArgs { name, scope, keys } = args;
    check_name(name)?;
    let mut text = String::new();
    if keys.exists() {
        Keys::open(keys)?;
        text = std::fs::read_to_string(keys).context("cannot read the keys")?;
        if text.lines().any(|line| line.trim().split(':').next() == Some(name)) {
            bail!("`{}` already has the key `{name}`: remove its line first", keys.display());
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
    fastlane_durable::replace(keys, text.as_bytes())
        .with_context(|| storage::cannot_write(keys))?;
    printer.text(&format!("{key}\n"))
}

/// Rejects names that a key file cannot represent.
fn check_name(name: &str) -> anyhow::Result<()> {
    if name.is_empty() || name.trim() != name || name.contains(|c: char| c == ':' || c.is_control())
    {
        bail!(
            "{name:?} is not a key name, wanted a name without `:`, control characters, and white \
             space at its ends"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn defect_a4_names_that_a_file_of_keys_could_not_give_back_are_refused() {
        for name in ["", " ", "\t", " me", "me ", "a:b", "a\nb", "a\rb", "\u{a0}", "a\u{7f}"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["me", "me and you", "büro", "a#b", "-"] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn defect_a4_a_name_that_is_taken_is_read_back(
            name in prop_oneof!["[ \t\n\r:a-c\u{a0}\u{2028}\u{feff}]{0,4}", any::<String>()],
            write in any::<bool>(),
        ) {
            if check_name(&name).is_ok() {
                let scope = if write { Scope::Write } else { Scope::Read };
                let (_, line) = new_key(&name, scope)?;
                let file = tempfile::NamedTempFile::new()?;
                fastlane_durable::replace(file.path(), format!("{line}\nother:read:{}\n", "0".repeat(64)).as_bytes())?;
                // every key that was read, with its name
                let keys = format!("{:?}", Keys::open(file.path()).unwrap());
                prop_assert!(keys.contains(&format!("({name:?}, {scope:?},")), "{keys}");
                prop_assert!(keys.contains("(\"other\", Read,"), "{keys}");
            }
        }
    }
}
