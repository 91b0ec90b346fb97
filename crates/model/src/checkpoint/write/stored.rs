//! Stores tensors in a safetensors file, converted to a weight type.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use half::f16;
use safetensors::View;
use safetensors::tensor::{Dtype, serialize};

use super::super::CheckpointError;
use super::super::tensors::SCALE;

/// A tensor in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor<'a> {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, row by row.
    pub values: &'a [f32],
}

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightType {
    /// 32-bit floats, unchanged.
    F32,
    /// Half precision: half the size.
    F16,
    /// Matrices as 8-bit integers with a factor per row, a quarter of the size; vectors as F32.
    Int8,
}

/// Writes a safetensors file, whole or not at all.
///
/// # Errors
///
/// A number is infinite or NaN, or becomes so in half precision, or an I/O call fails.
///
/// # Panics
///
/// The shape of a tensor does not match the number of its values.
pub fn write_tensors(
    path: &Path,
    tensors: &[NamedTensor<'_>],
    weight_type: WeightType,
) -> Result<(), CheckpointError> {
    let mut stored = Vec::new();
    for tensor in tensors {
        let count: usize = tensor.shape.iter().product();
        assert_eq!(
            count,
            tensor.values.len(),
            "`{}` has as many numbers as its shape",
            tensor.name
        );
        check(path, tensor, weight_type)?;
        stored.extend(store(tensor, weight_type));
    }
    // `transformers` refuses a file without this
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = serialize(stored, Some(format))
        .map_err(|source| CheckpointError::Header { path: path.to_owned(), source })?;
    super::write_file(path, &bytes)
}

/// A tensor as bytes.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

fn check(
    path: &Path,
    tensor: &NamedTensor<'_>,
    weight_type: WeightType,
) -> Result<(), CheckpointError> {
    let fits = |value: f32| match weight_type {
        WeightType::F16 => f16::from_f32(value).is_finite(),
        WeightType::F32 | WeightType::Int8 => value.is_finite(),
    };
    let Some(index) = tensor.values.iter().position(|&value| !fits(value)) else { return Ok(()) };
    let (path, tensor, value) = (path.to_owned(), tensor.name.clone(), tensor.values[index]);
    Err(match value.is_finite() {
        true => CheckpointError::TooLarge { path, tensor, index, value },
        false => CheckpointError::NotFinite { path, tensor, index, value },
    })
}

fn store(tensor: &NamedTensor<'_>, weight_type: WeightType) -> Vec<(String, Stored)> {
    let (name, shape, values) = (tensor.name.clone(), tensor.shape.clone(), tensor.values);
    match weight_type {
        WeightType::F16 => {
            let bytes = values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
            vec![(name, Stored { dtype: Dtype::F16, shape, bytes })]
        }
        WeightType::Int8 if shape.len() == 2 && !values.is_empty() => {
            let (bytes, scales) = quantise(values, shape[1]);
            let scale = floats(vec![shape[0]], &scales);
            let scale_name = format!("{name}{SCALE}");
            vec![(name, Stored { dtype: Dtype::I8, shape, bytes }), (scale_name, scale)]
        }
        WeightType::F32 | WeightType::Int8 => vec![(name, floats(shape, values))],
    }
}

fn floats(shape: Vec<usize>, values: &[f32]) -> Stored {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Stored { dtype: Dtype::F32, shape, bytes }
}

/// Scales each row to -127..=127, so that its largest number is exact.
fn quantise(values: &[f32], columns: usize) -> (Vec<u8>, Vec<f32>) {
    let mut scales = Vec::new();
    let mut bytes = Vec::with_capacity(values.len());
    for row in values.chunks_exact(columns) {
        let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        let code = |value: &f32| (value / scale).round().clamp(-127.0, 127.0) as i8;
        bytes.extend(row.iter().map(|value| code(value).cast_unsigned()));
        scales.push(scale);
    }
    (bytes, scales)
}
