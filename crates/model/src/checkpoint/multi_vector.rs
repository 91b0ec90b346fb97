//! The `MultiVectorEncoder` of Sentence Transformers 6: prefixes are prompts, lengths and expansion
//! are settings of the encoder module, and the skip list is in a separate module.

use std::path::Path;

use serde::Deserialize;

use super::text_settings::{ExpansionConfig, InputSettingsFiles, QUERY};
use super::{Checkpoint, CheckpointError, Folder, Layout, json};
use crate::tokenise::{Expansion, InputSettings};

/// `config.json` of a Normalize module.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Normalise {
    module_input_name: Option<String>,
}

/// `config.json` of a MultiVectorMask module.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mask {
    skiplist_words: Vec<String>,
    skiplist_tasks: Option<Vec<String>>,
    keep_only_token_ids: Option<Vec<u32>>,
}

pub(super) fn open(folder: &Folder) -> Result<Checkpoint, CheckpointError> {
    let query = folder.tower()?;
    let tokeniser = folder.tokeniser(&query)?;
    let mut sides = InputSettingsFiles::new(folder, &tokeniser, query.architecture.positions)?;
    sides.file = folder.encoder.join("sentence_bert_config.json");
    let mut query_side = query_side(folder, &sides)?;
    let mut document_side = document_side(folder, &sides)?;
    for path in &folder.modules.masks {
        let (mask, tasks) = read_mask(path)?;
        let ids = sides.ids(&mask.skiplist_words);
        for (task, side) in [("query", &mut query_side), ("document", &mut document_side)] {
            let skip = tasks.iter().any(|name| name == task);
            side.skip.extend(ids.iter().filter(|_| skip));
        }
    }
    Ok(Checkpoint {
        layout: Layout::MultiVector,
        query,
        document: None,
        query_side,
        document_side,
        normalise: normalises_tokens(folder)?,
        tokeniser,
        router: None,
    })
}

fn query_side(
    folder: &Folder,
    sides: &InputSettingsFiles<'_>,
) -> Result<InputSettings, CheckpointError> {
    let settings = &sides.encoder_config;
    let usual = settings.query_length.unwrap_or_else(|| sides.usual_length());
    let expansion = settings.query_expansion.as_ref();
    let (expansion, length) = match expansion {
        None => (None, usual),
        Some(config) => {
            let (expansion, length) = expand(sides, config, usual)?;
            (Some(expansion), length)
        }
    };
    let prompt = folder.st.prompt(&QUERY);
    sides.checked(
        "query_length",
        InputSettings { prompt, length, expansion, ..InputSettings::default() },
    )
}

/// `fixed` truncates at the length up to which it pads, `min` does not.
fn expand(
    sides: &InputSettingsFiles<'_>,
    config: &ExpansionConfig,
    usual: usize,
) -> Result<(Expansion, usize), CheckpointError> {
    let expansion = sides.expansion(config.token.as_deref(), config.length, config.attend)?;
    match config.strategy.as_str() {
        "fixed" => Ok((expansion, config.length)),
        "min" => Ok((expansion, usual.max(config.length))),
        other => Err(CheckpointError::Setting {
            path: sides.file.clone(),
            key: "query_expansion.strategy",
            found: format!("`{other}`"),
            wanted: "`fixed` or `min`".to_owned(),
        }),
    }
}

fn document_side(
    folder: &Folder,
    sides: &InputSettingsFiles<'_>,
) -> Result<InputSettings, CheckpointError> {
    let length = sides.encoder_config.document_length.unwrap_or_else(|| sides.usual_length());
    // Sentence Transformers uses only this prompt name for a MultiVectorEncoder
    let prompt = folder.st.prompt(&["document"]);
    sides.checked("document_length", InputSettings { prompt, length, ..InputSettings::default() })
}

fn read_mask(directory: &Path) -> Result<(Mask, Vec<String>), CheckpointError> {
    let path = directory.join("config.json");
    let mask: Mask = json::read_or_default(&path)?;
    let tasks = mask.skiplist_tasks.clone().unwrap_or_else(|| vec!["document".to_owned()]);
    match mask.keep_only_token_ids.as_ref().map_or(0, Vec::len) {
        0 => Ok((mask, tasks)),
        count => Err(CheckpointError::Setting {
            path,
            key: "keep_only_token_ids",
            found: format!("a list of {count}"),
            wanted: "no list".to_owned(),
        }),
    }
}

fn normalises_tokens(folder: &Folder) -> Result<bool, CheckpointError> {
    for path in &folder.modules.normalise {
        let config: Normalise = json::read_or_default(&path.join("config.json"))?;
        if config.module_input_name.as_deref() == Some("token_embeddings") {
            return Ok(true);
        }
    }
    Ok(false)
}
