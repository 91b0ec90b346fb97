//! RoBERTa and XLM-RoBERTa: BERT's layers, with positions counted from the padding token.

use serde::Deserialize;

use super::Entry;
use super::architecture::Architecture;
use super::bert::{self, BertFamily};
use super::config::Config;
use crate::error::CheckpointError;

pub(super) const ROBERTA: Entry = Entry {
    name: "roberta",
    classes: &["RobertaModel"],
    read: |config| read(("roberta", "RobertaModel"), config),
};

pub(super) const XLM_ROBERTA: Entry = Entry {
    name: "xlm-roberta",
    classes: &["XLMRobertaModel"],
    read: |config| read(("xlm-roberta", "XLMRobertaModel"), config),
};

/// The settings besides those of BERT.
#[derive(Debug, Deserialize)]
struct Settings {
    pad_token_id: Option<u32>,
}

/// Both names have tensors of the prefix `roberta.`.
fn read(
    (name, class): (&'static str, &'static str),
    config: &Config,
) -> Result<Architecture, CheckpointError> {
    let settings: Settings = config.settings()?;
    let padding = Some(settings.pad_token_id.unwrap_or(1));
    bert::read(BertFamily { name, class, prefix: "roberta.", padding, ..BertFamily::BERT }, config)
}
