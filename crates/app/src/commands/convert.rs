//! `fastlane convert`: writes a model in FastLane's layout, with another weight type.

use std::path::Path;

use anyhow::{Context as _, bail};
use fastlane_model::checkpoint::{Checkpoint, WeightType};

use crate::args::{ConvertArgs, WeightsArg};
use crate::printer::Printer;
use crate::table::bytes;

/// The least number of tokens: the special tokens around a text, and one token of it.
const LEAST: usize = 4;

pub(crate) fn run(args: &ConvertArgs, printer: &Printer) -> anyhow::Result<()> {
    let ConvertArgs { model, output, weights, document_tokens } = args;
    if model.is_file() {
        bail!("`{}` is a file, wanted the directory of a model", model.display());
    }
    let mut checkpoint = Checkpoint::open(model)?;
    if let &Some(tokens) = document_tokens {
        let most = checkpoint.document.as_ref().unwrap_or(&checkpoint.query).architecture.positions;
        if !(LEAST..=most).contains(&tokens) {
            let model = model.display();
            bail!(
                "--document-tokens is {tokens}, wanted {LEAST} to {most}: `{model}` has no more positions"
            );
        }
        checkpoint.document_side.length = tokens;
    }
    let weight_type = match weights {
        WeightsArg::F32 => WeightType::F32,
        WeightsArg::F16 => WeightType::F16,
        WeightsArg::Int8 => WeightType::Int8,
    };
    checkpoint.convert(output, weight_type)?;
    let (before, after) = (size(model)?, size(output)?);
    let place = output.display();
    printer.note(&format!("`{place}`: {} instead of {}", bytes(after), bytes(before)));
    Ok(())
}

/// Bytes of all files below a directory.
fn size(directory: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    let read = || format!("cannot read `{}`", directory.display());
    for entry in std::fs::read_dir(directory).with_context(read)? {
        let path = entry.with_context(read)?.path();
        sum += if path.is_dir() { size(&path)? } else { path.metadata().with_context(read)?.len() };
    }
    Ok(sum)
}
