//! Token vectors, their late-interaction score, and their files.

mod files;
mod matrix;

pub use files::{
    Origin, StoredDocument, StoredDocuments, VectorFilesError, VectorShape, VectorWriter,
    WriteProgress,
};
pub use matrix::TokenMatrix;
