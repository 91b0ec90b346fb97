//! Our own layout: PyLate's, a mark, and what others need not know.
//!
//! ```text
//! config.json  model.safetensors  tokenizer.json  …   the encoder of documents, or of both
//! modules.json  config_sentence_transformers.json     PyLate's settings and our mark `fastlane`
//! 1_Dense/                                            states to views
//! 2_FastLaneRouter/                                   not in modules.json: others do not see it
//! query/                                              the encoder of queries, if it is another
//! ```
//!
//! PyLate and Sentence Transformers read the top as a ColBERT that works without a router, and
//! `query/` as another.

use std::path::Path;

use serde::Deserialize;

use super::{
    Checkpoint, CheckpointError, Folder, Layout, RouterFiles, TowerFiles, pylate, read_bytes,
    router, text_settings,
};

/// The directory of the query encoder of split towers.
pub(super) const QUERY: &str = "query";

/// The only format there is yet.
pub(super) const FORMAT: u32 = 1;

pub(super) fn open(folder: &Folder) -> Result<Checkpoint, CheckpointError> {
    let mark = folder.st.fastlane.as_ref().expect("the mark told the layout");
    let router = part(folder, mark.router, router::DIRECTORY)?;
    let split = part(folder, mark.split, QUERY)?;
    let document = folder.tower()?;
    let tokeniser = folder.tokeniser(&document)?;
    let router = if router { Some(RouterFiles::open(&folder.path)?) } else { None };
    let (query_side, document_side) = pylate::sides(folder, &tokeniser, &document)?;
    let (query, document) = match split {
        false => (document, None),
        true => (query_tower(folder, &document)?, Some(document)),
    };
    let (layout, normalise) = (Layout::FastLane, mark.normalise);
    Ok(Checkpoint {
        layout,
        query,
        document,
        tokeniser,
        query_side,
        document_side,
        normalise,
        router,
    })
}

/// Refuses a format that is not read, before anything else in the directory is looked at.
///
/// What is broken is refused later, by those who read all of it.
pub(super) fn check_format(directory: &Path) -> Result<(), CheckpointError> {
    #[derive(Deserialize)]
    struct Settings {
        fastlane: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let path = directory.join(text_settings::FILE);
    let bytes = read_bytes(&path).unwrap_or_default();
    match serde_json::from_slice::<Settings>(&bytes) {
        Ok(Settings { fastlane: Version { format: found } }) if found != FORMAT => {
            Err(CheckpointError::Format { path, found, wanted: FORMAT })
        }
        _ => Ok(()),
    }
}

/// Whether a part is to be read; it must be there, then.
fn part(folder: &Folder, wanted: bool, part: &'static str) -> Result<bool, CheckpointError> {
    if wanted && !folder.path.join(part).is_dir() {
        return Err(CheckpointError::Incomplete { path: folder.path.clone(), part });
    }
    Ok(wanted)
}

/// The encoder of queries, whose tokens and views must be those of the documents.
fn query_tower(folder: &Folder, document: &TowerFiles) -> Result<TowerFiles, CheckpointError> {
    let folder = Folder::open(&folder.path.join(QUERY))?;
    let query = folder.tower()?;
    let pairs = [
        ("vocab_size", query.architecture.vocabulary, document.architecture.vocabulary),
        ("max_position_embeddings", query.architecture.positions, document.architecture.positions),
        ("out_features", query.dim(), document.dim()),
    ];
    match pairs.into_iter().find(|(_, found, wanted)| found != wanted) {
        None => Ok(query),
        Some((key, found, wanted)) => Err(CheckpointError::Setting {
            path: folder.path,
            key,
            found: found.to_string(),
            wanted: format!("{wanted}, as for documents"),
        }),
    }
}
