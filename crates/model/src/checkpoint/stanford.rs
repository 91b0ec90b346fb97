//! The layout of Stanford's ColBERT: projection and encoder in one file of weights.

use serde::Deserialize;

use super::text_settings::{InputSettingsFiles, punctuation};
use super::{Checkpoint, CheckpointError, DenseFiles, Folder, Layout, json, tower};
use crate::tokenise::InputSettings;

/// The class of the encoder in `config.json`.
pub(super) const CLASS: &str = "HF_ColBERT";

/// The file of settings.
pub(super) const METADATA: &str = "artifact.metadata";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    query_token_id: Option<String>,
    doc_token_id: Option<String>,
    query_maxlen: Option<usize>,
    doc_maxlen: Option<usize>,
    attend_to_mask_tokens: Option<bool>,
    mask_punctuation: Option<bool>,
}

pub(super) fn open(folder: &Folder) -> Result<Checkpoint, CheckpointError> {
    let mut query = folder.tower()?;
    // a separate handle, so that the projection is read like that of any other layout
    let weights = tower::open_weights(&folder.encoder)?;
    query.push(DenseFiles::within(weights, query.architecture.hidden)?)?;
    let tokeniser = folder.tokeniser(&query)?;
    let path = folder.path.join(METADATA);
    let metadata: Metadata = json::read_or_default(&path)?;
    let mut sides = InputSettingsFiles::new(folder, &tokeniser, query.architecture.positions)?;
    sides.file = path;
    let query_side = query_side(&sides, &metadata)?;
    let document_side = document_side(&sides, &metadata)?;
    Ok(Checkpoint {
        layout: Layout::Stanford,
        query,
        document: None,
        tokeniser,
        query_side,
        document_side,
        normalise: true,
        router: None,
    })
}

/// Queries are always padded with `[MASK]`.
fn query_side(
    sides: &InputSettingsFiles<'_>,
    metadata: &Metadata,
) -> Result<InputSettings, CheckpointError> {
    let (prefix, prompt) = sides.prefix(metadata.query_token_id.as_deref().unwrap_or("[unused0]"));
    let length = metadata.query_maxlen.unwrap_or(32);
    let attended = metadata.attend_to_mask_tokens.unwrap_or(false);
    let expansion = Some(sides.expansion(None, length, attended)?);
    let side = InputSettings { prefix, prompt, length, expansion, ..InputSettings::default() };
    sides.checked("query_maxlen", side)
}

fn document_side(
    sides: &InputSettingsFiles<'_>,
    metadata: &Metadata,
) -> Result<InputSettings, CheckpointError> {
    let (prefix, prompt) = sides.prefix(metadata.doc_token_id.as_deref().unwrap_or("[unused1]"));
    let length = metadata.doc_maxlen.unwrap_or_else(|| sides.usual_length());
    let skipped = if metadata.mask_punctuation.unwrap_or(true) { punctuation() } else { vec![] };
    let skip = sides.ids(&skipped);
    let side = InputSettings { prefix, prompt, length, skip, ..InputSettings::default() };
    sides.checked("doc_maxlen", side)
}
