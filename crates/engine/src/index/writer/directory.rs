//! Creates, checks and locks the directory of an index before anything is written.

use std::path::Path;

use fastlane_durable::Lock;

use crate::index::error::OpenIndexError;
use crate::index::manifest::{IndexSettings, is_ours};

pub(super) fn check_dims(settings: &IndexSettings) -> Result<(), OpenIndexError> {
    match settings.odd_dim() {
        Some(found) => Err(OpenIndexError::Dim { found }),
        None => Ok(()),
    }
}

pub(super) fn check_same(
    directory: &Path,
    found: &IndexSettings,
    wanted: &IndexSettings,
) -> Result<(), OpenIndexError> {
    let tokens = |dim: Option<usize>| dim.map_or("none".to_owned(), |dim| dim.to_string());
    let lanes = |alone: bool| if alone { "lane views alone" } else { "token views" }.to_owned();
    let other = |what, found, wanted| {
        let path = directory.to_owned();
        Err(OpenIndexError::Other { path, what, found, wanted })
    };
    if found.model != wanted.model {
        let named = |model: &str| if model.is_empty() { "unknown" } else { model }.to_owned();
        let (found, wanted) = (named(&found.model), named(&wanted.model));
        return Err(OpenIndexError::Model { path: directory.to_owned(), found, wanted });
    }
    if found.dim != wanted.dim {
        return other("views of length", found.dim.to_string(), wanted.dim.to_string());
    }
    if found.token_dim != wanted.token_dim {
        let (found, wanted) = (tokens(found.token_dim), tokens(wanted.token_dim));
        return other("token views of length", found, wanted);
    }
    if found.lanes_only != wanted.lanes_only {
        return other("views that are", lanes(found.lanes_only), lanes(wanted.lanes_only));
    }
    if found.store != wanted.store {
        return other("a store of", found.store.to_string(), wanted.store.to_string());
    }
    Ok(())
}

/// Checks that all files belong to an index, before any is created or removed.
pub(super) fn check_files(directory: &Path) -> Result<(), OpenIndexError> {
    let read = |source| OpenIndexError::Read { path: directory.to_owned(), source };
    let mut first: Option<String> = None;
    for entry in std::fs::read_dir(directory).map_err(read)? {
        let name = entry.map_err(read)?.file_name().to_string_lossy().into_owned();
        // hidden files, as desktops create them, do no harm
        if !is_ours(&name) && !name.starts_with('.') {
            first = Some(first.map_or(name.clone(), |first| first.min(name)));
        }
    }
    match first {
        None => Ok(()),
        Some(name) => Err(OpenIndexError::Foreign { path: directory.to_owned(), name }),
    }
}

pub(super) fn lock(directory: &Path) -> Result<Lock, OpenIndexError> {
    let path = directory.join(crate::index::LOCK);
    let lock = Lock::take(&path).map_err(|source| OpenIndexError::Write { path, source })?;
    lock.ok_or_else(|| OpenIndexError::Locked { path: directory.to_owned() })
}
