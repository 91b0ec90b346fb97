//! Vectors of tokens, and how two sets of them are compared.

mod files;
mod matrix;

pub use files::{
    Origin, StoredDocument, StoredDocuments, VectorFilesError, VectorShape, VectorWriter, Written,
};
pub use matrix::TokenMatrix;
