//! An open safetensors file: the header in memory, each tensor read on request.
//!
//! Weights are stored as F32, F16, BF16, or as FastLane's *weight-only int8*: the tensor `name`
//! holds int8 numbers, and the F32 tensor `name_scale` one factor per row:
//!
//! ```text
//! weight[row][column] = int8[row][column] · scale[row]
//! ```
//!
//! A tensor is read through a small buffer that stays in the cache and is converted to `f32` there,
//! so that its bytes pass through memory only once. The file is not mapped: truncating a mapped
//! file kills the process, while reading a truncated one gives an error.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, TensorInfo};

use super::CheckpointError;
use super::json::{LFS, cannot_read};

/// The size of a read in bytes; it fits the L2 cache.
const BUFFER: usize = 1 << 18;

/// The largest header that is accepted.
const LONGEST_HEADER: u64 = 100_000_000;

/// The types that can be read.
const TYPES: &str = "F32, F16, BF16 or I8 with a scale";

/// The suffix of the name of an int8 tensor's factors.
pub(super) const SCALE: &str = "_scale";

/// The weights of a model, or of one of its modules.
#[derive(Debug)]
pub struct Tensors {
    path: PathBuf,
    file: Mutex<File>,
    metadata: Metadata,
    /// The offset of the first tensor.
    start: u64,
    /// The hashes of the tensors read so far.
    digests: Mutex<HashMap<String, [u8; 32]>>,
}

/// A tensor as stored in the file.
pub(crate) struct StoredTensor<'a> {
    /// The suffix of its name after that of the tensor it belongs to: empty, or `_scale`.
    pub(crate) end: &'static str,
    /// The type of its numbers.
    pub(crate) kind: &'static str,
    pub(crate) shape: &'a [usize],
    /// The BLAKE3 hash of its bytes.
    pub(crate) digest: [u8; 32],
}

impl Tensors {
    /// Reads and checks the header, but no tensor.
    ///
    /// # Errors
    ///
    /// The file is absent, a Git LFS pointer or not a safetensors file, or its size does not match
    /// its header.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let fail = |source| cannot_read(path, source);
        let mut file = File::open(path).map_err(fail)?;
        let found = file.metadata().map_err(fail)?.len();
        let (metadata, start) = header(&mut file, path)?;
        let wanted = start.saturating_add(metadata.data_len() as u64);
        if found != wanted {
            return Err(CheckpointError::Size { path: path.to_owned(), found, wanted });
        }
        let (path, file, digests) = (path.to_owned(), Mutex::new(file), Mutex::default());
        Ok(Self { path, file, metadata, start, digests })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors, in the order of the file.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// Whether the file has the tensor.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The shape of a tensor, if there is one of that name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.find(name).map(|info| info.shape.as_slice())
    }

    /// Reads a tensor as `f32`, row by row.
    ///
    /// # Errors
    ///
    /// The tensor is absent, has another shape or an unsupported type, holds a number that is NaN
    /// or infinite, or cannot be read.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let info = self.find(name).ok_or_else(|| self.missing(name))?;
        if info.shape != shape {
            return Err(self.wrong_shape(name, &info.shape, shape));
        }
        match info.dtype {
            Dtype::F32 => self.convert(name, info, from_f32),
            Dtype::F16 => self.convert(name, info, from_f16),
            Dtype::BF16 => self.convert(name, info, from_bf16),
            Dtype::I8 => self.scaled(name, info),
            other => Err(self.wrong_type(name, other, TYPES)),
        }
    }

    /// Finds a tensor; old checkpoints name the weight of a layer norm gamma, and its bias beta.
    fn find(&self, name: &str) -> Option<&TensorInfo> {
        let old = || {
            let stem = name.strip_suffix("LayerNorm.weight").map(|stem| (stem, "gamma"));
            let stem = stem.or(name.strip_suffix("LayerNorm.bias").map(|stem| (stem, "beta")));
            stem.map(|(stem, word)| format!("{stem}LayerNorm.{word}"))
        };
        self.metadata.info(name).or_else(|| self.metadata.info(&old()?))
    }

    fn scaled(&self, name: &str, info: &TensorInfo) -> Result<Vec<f32>, CheckpointError> {
        let scale_name = format!("{name}{SCALE}");
        let rows = info.shape.first().copied().unwrap_or(1);
        match self.find(&scale_name) {
            Some(scale) if scale.dtype != Dtype::F32 => {
                return Err(self.wrong_type(&scale_name, scale.dtype, "F32"));
            }
            _ => {}
        }
        let scale = self.read(&scale_name, &[rows])?;
        let mut values = self.convert(name, info, from_i8)?;
        let columns = values.len().checked_div(rows).unwrap_or(0).max(1);
        for (row, scale) in values.chunks_exact_mut(columns).zip(scale) {
            row.iter_mut().for_each(|value| *value *= scale);
        }
        self.check(name, 0, &values)?;
        Ok(values)
    }

    /// The stored tensor, and the factors of its rows if it has these.
    pub(crate) fn stored(&self, name: &str) -> Result<Vec<StoredTensor<'_>>, CheckpointError> {
        let mut all = vec![self.stored_alone(name, "")?];
        if all[0].kind == "i8" {
            all.push(self.stored_alone(&format!("{name}{SCALE}"), SCALE)?);
        }
        Ok(all)
    }

    fn stored_alone(
        &self,
        name: &str,
        end: &'static str,
    ) -> Result<StoredTensor<'_>, CheckpointError> {
        let info = self.find(name).ok_or_else(|| self.missing(name))?;
        let kind = match info.dtype {
            Dtype::F32 => "f32",
            Dtype::F16 => "f16",
            Dtype::BF16 => "bf16",
            Dtype::I8 => "i8",
            other => return Err(self.wrong_type(name, other, TYPES)),
        };
        let known =
            || self.digests.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        let digest = match known() {
            Some(digest) => digest,
            None => self.pass(name, info, |_| Ok(()))?,
        };
        Ok(StoredTensor { end, kind, shape: &info.shape, digest })
    }

    /// Reads the bytes and turns them into numbers.
    fn convert(
        &self,
        name: &str,
        info: &TensorInfo,
        append: fn(&[u8], &mut Vec<f32>),
    ) -> Result<Vec<f32>, CheckpointError> {
        let mut values = Vec::with_capacity(info.shape.iter().product());
        self.pass(name, info, |piece| {
            let before = values.len();
            append(piece, &mut values);
            self.check(name, before, &values[before..])
        })?;
        Ok(values)
    }

    /// Reads the bytes in chunks, and stores their hash.
    fn pass(
        &self,
        name: &str,
        info: &TensorInfo,
        mut take: impl FnMut(&[u8]) -> Result<(), CheckpointError>,
    ) -> Result<[u8; 32], CheckpointError> {
        let (from, to) = info.data_offsets;
        let mut buffer = vec![0; BUFFER.min(to - from)];
        let mut hasher = blake3::Hasher::new();
        let fail = |source| CheckpointError::Read { path: self.path.clone(), source };
        // a thread that panicked here can have changed only the position in the file
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.start + from as u64)).map_err(fail)?;
        let mut left = to - from;
        while left > 0 {
            let piece = &mut buffer[..left.min(BUFFER)];
            file.read_exact(piece).map_err(fail)?;
            hasher.update(piece);
            take(piece)?;
            left -= piece.len();
        }
        drop(file);
        let digest = hasher.finalize().into();
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.insert(name.to_owned(), digest);
        Ok(digest)
    }

    fn check(&self, name: &str, before: usize, values: &[f32]) -> Result<(), CheckpointError> {
        if all_finite(values) {
            return Ok(());
        }
        let place = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
        Err(CheckpointError::NotFinite {
            path: self.path.clone(),
            tensor: name.to_owned(),
            index: before + place,
            value: values[place],
        })
    }

    pub(super) fn missing(&self, name: &str) -> CheckpointError {
        CheckpointError::MissingTensor { path: self.path.clone(), tensor: name.to_owned() }
    }

    pub(super) fn wrong_shape(
        &self,
        name: &str,
        found: &[usize],
        wanted: &[usize],
    ) -> CheckpointError {
        CheckpointError::TensorShape {
            path: self.path.clone(),
            tensor: name.to_owned(),
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        }
    }

    fn wrong_type(&self, name: &str, found: Dtype, wanted: &'static str) -> CheckpointError {
        CheckpointError::TensorType {
            path: self.path.clone(),
            tensor: name.to_owned(),
            found: format!("{found:?}"),
            wanted,
        }
    }
}

/// Reads the header: its length in 8 bytes, then that much JSON.
fn header(file: &mut File, path: &Path) -> Result<(Metadata, u64), CheckpointError> {
    let bad = |source| CheckpointError::Header { path: path.to_owned(), source };
    let fail = |source| cannot_read(path, source);
    let mut first = Vec::new();
    file.take(LFS.len() as u64).read_to_end(&mut first).map_err(fail)?;
    if first == LFS {
        return Err(CheckpointError::LfsPointer { path: path.to_owned() });
    }
    let length = first.first_chunk().ok_or_else(|| bad(SafeTensorError::HeaderTooSmall))?;
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER {
        return Err(bad(SafeTensorError::HeaderTooLarge));
    }
    let mut json = Vec::new();
    file.seek(SeekFrom::Start(8)).map_err(fail)?;
    file.take(length).read_to_end(&mut json).map_err(fail)?;
    if (json.len() as u64) < length {
        return Err(bad(SafeTensorError::InvalidHeaderLength));
    }
    let invalid = SafeTensorError::InvalidHeaderDeserialization;
    let metadata = serde_json::from_slice(&json).map_err(|error| bad(invalid(error)))?;
    Ok((metadata, 8 + length))
}

/// Whether no number is infinite or NaN: these, and only they, have all bits of the exponent set.
fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let most = values.iter().fold(0, |most, value| most.max(value.to_bits() & EXPONENT));
    most < EXPONENT
}

fn from_f32(bytes: &[u8], values: &mut Vec<f32>) {
    values.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
}

fn from_bf16(bytes: &[u8], values: &mut Vec<f32>) {
    let widened = |&bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16);
    values.extend(bytes.as_chunks().0.iter().map(widened));
}

fn from_f16(bytes: &[u8], values: &mut Vec<f32>) {
    let bits: Vec<u16> = bytes.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b)).collect();
    let before = values.len();
    values.resize(before + bits.len(), 0.0);
    bits.reinterpret_cast::<half::f16>().convert_to_f32_slice(&mut values[before..]);
}

fn from_i8(bytes: &[u8], values: &mut Vec<f32>) {
    values.extend(bytes.iter().map(|&byte| f32::from(byte.cast_signed())));
}
