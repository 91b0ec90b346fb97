//! Validates documents before they are added.

use super::NewDocument;
use crate::TokenMatrix;
use crate::index::error::WriteIndexError;
use crate::index::manifest::IndexSettings;

/// The longest id in bytes.
const MOST_ID: usize = 65_535;
/// The largest number of views of a document.
const MOST_VIEWS: usize = 1 << 24;

/// Checks that a document can be added to an index.
pub(super) fn check(
    document: &NewDocument<'_>,
    settings: &IndexSettings,
) -> Result<(), WriteIndexError> {
    let NewDocument { id, views, tokens, weights } = *document;
    check_id(id)?;
    check_matrix(id, "views", views, settings.dim)?;
    weights.map_or(Ok(()), |weights| check_weights(id, weights, tokens.unwrap_or(views)))?;
    match (tokens, settings.token_dim) {
        (Some(tokens), Some(dim)) => check_matrix(id, "token views", tokens, dim),
        (None, None) => Ok(()),
        (found, wanted) => {
            let word = |there| if there { "with" } else { "without" };
            let (found, wanted) = (word(found.is_some()), word(wanted.is_some()));
            Err(WriteIndexError::Sets { id: id.to_owned(), found, wanted })
        }
    }
}

fn check_id(id: &str) -> Result<(), WriteIndexError> {
    match id.len() {
        0 => Err(WriteIndexError::EmptyId),
        1..=MOST_ID => Ok(()),
        bytes => {
            let start = id.chars().take(40).collect();
            Err(WriteIndexError::LongId { start, bytes, most: MOST_ID })
        }
    }
}

fn check_weights(id: &str, weights: &[f32], views: &TokenMatrix) -> Result<(), WriteIndexError> {
    let (id, found, wanted) = (id.to_owned(), weights.len(), views.len());
    if found != wanted {
        return Err(WriteIndexError::Weights { id, found, wanted });
    }
    match weights.iter().position(|weight| !weight.is_finite()) {
        None => Ok(()),
        Some(view) => Err(WriteIndexError::Weight { id, view, value: weights[view] }),
    }
}

fn check_matrix(
    id: &str,
    what: &'static str,
    views: &TokenMatrix,
    wanted: usize,
) -> Result<(), WriteIndexError> {
    let (id, found) = (id.to_owned(), views.dim());
    if found != wanted {
        return Err(WriteIndexError::Dim { id, what, found, wanted });
    }
    if views.len() > MOST_VIEWS {
        return Err(WriteIndexError::Views { id, views: views.len(), most: MOST_VIEWS });
    }
    // the largest half is 65504; values below the midpoint to the next one round down to it
    let fits = |value: &f32| value.abs() < 65_520.0;
    match views.values().iter().position(|value| !fits(value)) {
        None => Ok(()),
        Some(place) => {
            let (view, value) = (place / found, views.values()[place]);
            Err(WriteIndexError::Value { id, view, value })
        }
    }
}
