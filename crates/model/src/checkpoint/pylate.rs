//! PyLate's `ColBERT`: text settings in one file, prefixes as tokens.
//!
//! The defaults are PyLate's: 32 tokens for a query, padded with `[MASK]`, 180 for a document, and
//! no views for ASCII punctuation.

use super::text_settings::{DOCUMENT, InputSettingsFiles, QUERY, punctuation};
use super::{Checkpoint, CheckpointError, Folder, Layout, TowerFiles};
use crate::tokenise::{InputSettings, Tokeniser};

const QUERY_LENGTH: usize = 32;
const DOCUMENT_LENGTH: usize = 180;

pub(super) fn open(folder: &Folder) -> Result<Checkpoint, CheckpointError> {
    let query = folder.tower()?;
    let tokeniser = folder.tokeniser(&query)?;
    let (query_side, document_side) = sides(folder, &tokeniser, &query)?;
    Ok(Checkpoint {
        layout: Layout::PyLate,
        query,
        document: None,
        tokeniser,
        query_side,
        document_side,
        normalise: true,
        router: None,
    })
}

/// The settings of queries and documents.
pub(super) fn sides(
    folder: &Folder,
    tokeniser: &Tokeniser,
    tower: &TowerFiles,
) -> Result<(InputSettings, InputSettings), CheckpointError> {
    let sides = InputSettingsFiles::new(folder, tokeniser, tower.architecture.positions)?;
    let st = &folder.st;
    let query = InputSettings {
        length: st.query_length.unwrap_or(QUERY_LENGTH),
        ..prefixed(&sides, st.query_prefix.as_deref().unwrap_or("[Q] "), st.prompt(&QUERY))
    };
    let mut query = sides.checked("query_length", query)?;
    if st.do_query_expansion.unwrap_or(true) {
        let attended = st.attend_to_expansion_tokens.unwrap_or(false);
        query.expansion = Some(sides.expansion(None, query.length, attended)?);
    }
    let skipped = st.skiplist_words.clone().unwrap_or_else(punctuation);
    let document = InputSettings {
        length: st.document_length.unwrap_or(DOCUMENT_LENGTH),
        skip: sides.ids(&skipped),
        ..prefixed(&sides, st.document_prefix.as_deref().unwrap_or("[D] "), st.prompt(&DOCUMENT))
    };
    Ok((query, sides.checked("document_length", document)?))
}

/// The prefix as a token if it is one, else as text; then the prompt, which may repeat it.
fn prefixed(sides: &InputSettingsFiles<'_>, prefix: &str, prompt: String) -> InputSettings {
    let prompt = prompt.strip_prefix(prefix).map(str::to_owned).unwrap_or(prompt);
    let (token, text) = sides.prefix(prefix);
    InputSettings { prefix: token, prompt: text + &prompt, ..InputSettings::default() }
}
