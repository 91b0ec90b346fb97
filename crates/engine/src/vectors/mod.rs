//! Vectors of tokens, and how two sets of them are compared.

mod matrix;

pub use matrix::TokenMatrix;
