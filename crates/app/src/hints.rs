//! Hints for errors, looked up by their type.

use std::error::Error;

use fastlane::{Hint, LexicalOpenError, LexicalWriteError};

use crate::panics::Panicked;
use crate::resumable::{PartialError, VectorFilesError};
use crate::temporary_index::TemporaryIndexError;

/// The hint for an error, if there is one.
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
    if let Some(error) = cause.downcast_ref::<fastlane::ReadError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<LexicalOpenError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane::CollectionError>() {
        return error.hint().map(of_library);
    }
    if let Some(error) = cause.downcast_ref::<fastlane_serve::ServeError>() {
        return error.hint().map(of_library);
    }
    if let Some(error) = cause.downcast_ref::<fastlane::OpenError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane_model::NotFinite>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<fastlane::CheckpointError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<VectorFilesError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane::OpenIndexError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<fastlane::WriteIndexError>() {
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
    if cause.is::<TemporaryIndexError>() {
        return Some("set TMPDIR to a disk with room for about 1.3 times the collection");
    }
    cause.downcast_ref::<LexicalWriteError>().and_then(LexicalWriteError::hint)
}

/// The hint of the library in terms of the command line.
fn of_library(hint: Hint) -> &'static str {
    match hint {
        Hint::Create => "make one with `fastlane index INPUT --output INDEX --model DIR`",
        Hint::OpenIt => "open it to add documents, or choose another directory",
        Hint::EmptyDirectory => "choose an empty or a new directory",
        Hint::OtherDirectory => "choose another directory",
        Hint::ModelMoved => "pass its new location with `--model DIR`",
        Hint::GiveModel => "pass the model with `--model DIR`",
        Hint::GiveEncoder => {
            "index the documents with a model: the command line cannot load a custom encoder"
        }
        Hint::OtherModel => "search with the model that indexed it, or index the documents again",
        Hint::Update => "update fastlane",
        Hint::Check => "`fastlane check` lists all damage; restore the files, or index again",
        Hint::Ask => "enter a query that is not empty",
        Hint::Other(hint) => hint,
        _ => "see the documentation of the library",
    }
}
