//! The way out of an error, looked up by its type.

use std::error::Error;

use fastlane_corpus::{LexicalOpenError, LexicalWriteError};

use crate::commands::bm25::NoRoom;
use crate::panics::Panicked;
use crate::partial::PartialError;

/// One sentence that helps, where there is one.
pub(crate) fn way_out(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(hint)
}

fn hint(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = cause.downcast_ref::<fastlane_eval::ReadError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_eval::WriteError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_eval::NothingToEvaluate>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<fastlane_corpus::ReadError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<LexicalOpenError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane::CollectionError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_serve::ServeError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_model::OpenError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_model::NotFinite>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<fastlane_model::CheckpointError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_engine::VectorFilesError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_engine::OpenIndexError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_engine::WriteIndexError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_train::TrainError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_train::run::RunError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<PartialError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<Panicked>() {
        return Some(error.hint());
    }
    if cause.is::<NoRoom>() {
        return Some("set TMPDIR to a disk with room for about 1.3 times the collection");
    }
    cause.downcast_ref::<LexicalWriteError>().and_then(LexicalWriteError::hint)
}
