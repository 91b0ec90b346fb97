//! FastLane's own layout: PyLate's, with a key `fastlane`, a router and a second encoder.
//!
//! ```text
//! config.json  model.safetensors  tokenizer.json  …   the encoder of documents, or of both
//! modules.json  config_sentence_transformers.json     PyLate's settings and the key `fastlane`
//! 1_Dense/                                            states to views
//! 2_FastLaneRouter/                                   not in modules.json: others do not see it
//! query/                                              the query encoder, if it is separate
//! ```
//!
//! PyLate and Sentence Transformers read the top directory as a ColBERT without a router, and
//! `query/` as another one.

use std::path::Path;

use serde::Deserialize;

use super::{
    Checkpoint, CheckpointError, Folder, Layout, RouterFiles, TowerFiles, pylate, read_bytes,
    router, text_settings,
};

/// The directory of the query encoder, for split towers.
pub(super) const QUERY: &str = "query";

/// The only format so far.
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

/// Refuses an unsupported format before any other file is read.
///
/// A damaged settings file is not an error here: it is reported by the code that reads all of it.
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

/// Whether a part is to be read; if so, it must exist.
fn part(folder: &Folder, wanted: bool, part: &'static str) -> Result<bool, CheckpointError> {
    if wanted && !folder.path.join(part).is_dir() {
        return Err(CheckpointError::Incomplete { path: folder.path.clone(), part });
    }
    Ok(wanted)
}

/// The query encoder, whose tokens and views must be compatible with those of the documents.
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
