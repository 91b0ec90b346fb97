//! The way out of an error, looked up by its type.

use std::error::Error;

use fastlane::{Hint, LexicalOpenError, LexicalWriteError};

use crate::no_room::NoRoom;
use crate::panics::Panicked;
use crate::resumable::{PartialError, VectorFilesError};

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
    if cause.is::<NoRoom>() {
        return Some("set TMPDIR to a disk with room for about 1.3 times the collection");
    }
    cause.downcast_ref::<LexicalWriteError>().and_then(LexicalWriteError::hint)
}

/// The library's way out, as a command line has it.
fn of_library(hint: Hint) -> &'static str {
    match hint {
        Hint::Create => "make one with `fastlane index INPUT --output INDEX --model DIR`",
        Hint::OpenIt => "add to it by opening it, or choose another directory",
        Hint::EmptyDirectory => "choose an empty directory, or one that is not there yet",
        Hint::OtherDirectory => "choose another directory",
        Hint::ModelMoved => "say where it is now with `--model DIR`",
        Hint::GiveModel => "say which with `--model DIR`",
        Hint::GiveEncoder => {
            "index the documents with a model: a program's own encoder is needed here"
        }
        Hint::OtherModel => "search with the model that indexed it, or index the documents again",
        Hint::Update => "update fastlane",
        Hint::Check => "`fastlane check` names all damage; restore the files, or index again",
        Hint::Ask => "ask for something",
        Hint::Other(hint) => hint,
        _ => "see the documentation of the library",
    }
}
