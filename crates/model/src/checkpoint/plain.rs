//! An encoder without projection: its hidden states are the views.
//!
//! A model that Sentence Transformers pools into one vector is also read this way, without the
//! pooling. Views always have unit length.

use super::text_settings::{DOCUMENT, InputSettingsFiles, QUERY};
use super::{Checkpoint, CheckpointError, Folder, Layout};
use crate::tokenise::InputSettings;

pub(super) fn open(folder: &Folder) -> Result<Checkpoint, CheckpointError> {
    let query = folder.tower()?;
    let tokeniser = folder.tokeniser(&query)?;
    let sides = InputSettingsFiles::new(folder, &tokeniser, query.architecture.positions)?;
    let side = |names: &[&str]| {
        let prompt = folder.st.prompt(names);
        let side =
            InputSettings { prompt, length: sides.usual_length(), ..InputSettings::default() };
        sides.checked("max_seq_length", side)
    };
    let (query_side, document_side) = (side(&QUERY)?, side(&DOCUMENT)?);
    Ok(Checkpoint {
        layout: Layout::Plain,
        query,
        document: None,
        tokeniser,
        query_side,
        document_side,
        normalise: true,
        router: None,
    })
}
