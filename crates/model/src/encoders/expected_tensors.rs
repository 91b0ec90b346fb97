//! The tensors that the weights of an encoder must have.
//!
//! Each length of a shape is stored with the setting of `config.json` that it comes from, so that
//! an error can name the setting.

/// A length and its setting.
pub(crate) type Length = (usize, &'static str);

/// A tensor that the weights must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedTensor {
    pub(crate) name: String,
    pub(crate) lengths: Vec<Length>,
}

impl ExpectedTensor {
    pub(crate) fn shape(&self) -> Vec<usize> {
        self.lengths.iter().map(|&(length, _)| length).collect()
    }
}

/// The tensor `name.weight` of a linear map, and its bias `name.bias`.
pub(super) fn linear(name: &str, to: Length, from: Length) -> [ExpectedTensor; 2] {
    [("weight", vec![to, from]), ("bias", vec![to])]
        .map(|(end, lengths)| ExpectedTensor { name: format!("{name}.{end}"), lengths })
}

/// The tensors `name.weight` and `name.bias` of a layer norm.
pub(super) fn norm(name: &str, length: Length) -> [ExpectedTensor; 2] {
    ["weight", "bias"]
        .map(|end| ExpectedTensor { name: format!("{name}.{end}"), lengths: vec![length] })
}
