//! Reads NPY files as all kinds of encoders write them.
//!
//! Vectors and weights are f16 or f32, counts are integers of 32 or 64 bits; all little-endian, in
//! row order.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::error::{VectorFilesError, cannot_read};
use crate::vectors::TokenMatrix;

/// The expected content of an array.
#[derive(Debug, Clone, Copy)]
pub(super) enum ArrayContent {
    Vectors,
    Weights,
    Counts,
}

/// The type of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    F16,
    F32,
    /// Signed ones must not be negative.
    Int32,
    Int64,
}

impl Number {
    fn named(name: &str, wanted: ArrayContent) -> Option<Self> {
        match (wanted, name) {
            (ArrayContent::Vectors | ArrayContent::Weights, "<f2") => Some(Self::F16),
            (ArrayContent::Vectors | ArrayContent::Weights, "<f4") => Some(Self::F32),
            (ArrayContent::Counts, "<u4" | "<i4") => Some(Self::Int32),
            (ArrayContent::Counts, "<u8" | "<i8") => Some(Self::Int64),
            _ => None,
        }
    }

    fn width(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 | Self::Int32 => 4,
            Self::Int64 => 8,
        }
    }
}

/// An array, and the read position.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) path: PathBuf,
    pub(super) rows: u64,
    pub(super) columns: usize,
    number: Number,
    /// The bytes before the first row.
    header: u64,
    left: BufReader<File>,
}

impl Array {
    pub(super) fn open(path: &Path, wanted: ArrayContent) -> Result<Self, VectorFilesError> {
        let refuse = |source| cannot_read(path, source);
        let mut file = File::open(path).map_err(refuse)?;
        let found = file.metadata().map_err(refuse)?.len();
        let (header, text) = read_header(&mut file).map_err(refuse)?;
        let Some((number, rows, columns)) = shape(&text, wanted) else {
            let path = path.to_owned();
            let found = text.trim().trim_matches(['{', '}']).trim_end_matches([',', ' ']);
            let found = if found.is_empty() { "no header of NumPy" } else { found };
            // the header may be from another program: show one line of it
            let found =
                found.chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
            let wanted = match wanted {
                ArrayContent::Vectors => "f16 or f32 with rows and columns",
                ArrayContent::Weights => "f16 or f32 in one row",
                ArrayContent::Counts => "integers of 32 or 64 bits in one row",
            };
            return Err(VectorFilesError::Array { path, found, wanted });
        };
        let width = (columns as u64).saturating_mul(number.width() as u64);
        let size = width.saturating_mul(rows).saturating_add(header);
        if size != found {
            return Err(VectorFilesError::Size { path: path.to_owned(), found, wanted: size });
        }
        let left = BufReader::new(file);
        Ok(Self { path: path.to_owned(), rows, columns, number, header, left })
    }

    /// Checks that there are as many rows as another array counts.
    pub(super) fn check_rows(&self, wanted: u64, by: &Self) -> Result<(), VectorFilesError> {
        if self.rows == wanted {
            return Ok(());
        }
        let (path, other) = (self.path.clone(), by.path.clone());
        Err(VectorFilesError::Rows { path, found: self.rows, other, wanted })
    }

    /// Sums all counts, and rewinds to the first.
    pub(super) fn sum(&mut self) -> Result<u64, VectorFilesError> {
        let (mut sum, mut left) = (0, self.rows);
        while left > 0 {
            let some = left.min(1 << 16);
            sum += self.counts(some as usize)?.into_iter().map(u64::from).sum::<u64>();
            left -= some;
        }
        let back = self.left.seek(SeekFrom::Start(self.header));
        back.map_err(|source| cannot_read(&self.path, source))?;
        Ok(sum)
    }

    pub(super) fn counts(&mut self, count: usize) -> Result<Vec<u32>, VectorFilesError> {
        let width = self.number.width();
        let bytes = self.bytes(width * count)?;
        let number = |bytes: &[u8]| {
            let mut eight = [0; 8];
            eight[..width].copy_from_slice(bytes);
            u32::try_from(u64::from_le_bytes(eight)).ok().filter(|&count| count <= i32::MAX as u32)
        };
        let counts = bytes.chunks_exact(width).map(number).collect::<Option<_>>();
        counts.ok_or_else(|| VectorFilesError::Count { path: self.path.clone(), most: i32::MAX })
    }

    pub(super) fn matrix(&mut self, rows: usize) -> Result<TokenMatrix, VectorFilesError> {
        Ok(TokenMatrix::new(self.columns, self.floats(rows)?))
    }

    pub(super) fn floats(&mut self, rows: usize) -> Result<Vec<f32>, VectorFilesError> {
        let bytes = self.bytes(self.number.width() * rows * self.columns)?;
        Ok(match self.number {
            Number::F16 => {
                let halves = bytes.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes));
                halves.collect::<Vec<f16>>().to_f32_vec()
            }
            _ => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        })
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, VectorFilesError> {
        let mut bytes = Vec::new();
        let read = (&mut self.left).take(count as u64).read_to_end(&mut bytes);
        let read = read.and_then(|read| match read == count {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        });
        read.map_err(|source| cannot_read(&self.path, source))
    }
}

/// The size of the header, and its text; empty if there is none.
///
/// Format 1.0 has the length of the text in two bytes, later ones in four.
fn read_header(file: &mut File) -> io::Result<(u64, String)> {
    let mut start = Vec::new();
    file.take(10).read_to_end(&mut start)?;
    let (&[b'\x93', b'N', b'U', b'M', b'P', b'Y', version, _, low, high], 1..=3) =
        (start.as_slice(), start.get(6).copied().unwrap_or_default())
    else {
        return Ok((0, String::new()));
    };
    let mut length = u64::from(u16::from_le_bytes([low, high]));
    let mut before = 10;
    if version > 1 {
        let mut more = [0; 2];
        file.read_exact(&mut more)?;
        length += u64::from(u16::from_le_bytes(more)) << 16;
        before = 12;
    }
    let mut text = Vec::new();
    file.take(length.min(1 << 16)).read_to_end(&mut text)?;
    Ok((before + length, String::from_utf8_lossy(&text).into_owned()))
}

/// Parses a header: type, rows and columns; `None` if they are not the expected ones.
fn shape(header: &str, wanted: ArrayContent) -> Option<(Number, u64, usize)> {
    let value = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let name = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    let number = Number::named(name, wanted)?;
    let (sides, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
    let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
    let sides: Vec<u64> = sides.map(|side| side.parse().ok()).collect::<Option<_>>()?;
    // one row is the same in both orders
    let in_order = value("fortran_order")?.starts_with("False");
    match (wanted, sides.as_slice()) {
        (ArrayContent::Vectors, &[rows, columns @ 1..=0xFFFF]) if in_order => {
            Some((number, rows, columns as usize))
        }
        (ArrayContent::Weights | ArrayContent::Counts, &[rows]) => Some((number, rows, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_as_numpy_writes_them() {
        let header = |descr: &str, order: &str, shape: &str| {
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}   \n")
        };
        let vectors = |text: &str| shape(text, ArrayContent::Vectors);
        let counts = |text: &str| shape(text, ArrayContent::Counts);
        assert_eq!(vectors(&header("<f4", "False", "(7, 16)")), Some((Number::F32, 7, 16)));
        assert_eq!(counts(&header("<i8", "False", "(7,)")), Some((Number::Int64, 7, 1)));
        assert_eq!(counts(&header("<u4", "True", "(1,)")), Some((Number::Int32, 1, 1)));
        let weights = |text: &str| shape(text, ArrayContent::Weights);
        assert_eq!(weights(&header("<f2", "False", "(7,)")), Some((Number::F16, 7, 1)));
        assert_eq!(weights(&header("<f4", "False", "(7, 1)")), None);
        for refused in [
            header("<f8", "False", "(7, 16)"),
            header(">f4", "False", "(7, 16)"),
            header("<f4", "True", "(7, 16)"),
            header("<f4", "False", "(7, 0)"),
            header("<f4", "False", "(7,)"),
            header("<f4", "False", "(7, -1)"),
            String::new(),
        ] {
            assert_eq!(vectors(&refused), None, "{refused}");
        }
    }
}
