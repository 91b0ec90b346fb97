//! An NPY file that grows: a header of fixed size, then rows.
//!
//! Format 1.0 of NumPy: magic, version, the length of the rest of the header, then a Python dict
//! with type and shape, padded with blanks to a multiple of 64 bytes. Our header always takes 128
//! bytes, which leaves room for any row count: while the file grows it holds 0.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::error::{VectorFilesError, cannot_write};

/// The size of the header in bytes.
pub(super) const HEADER: usize = 128;

pub(super) const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// The type of the rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Vectors of this many f16.
    Halves(usize),
    /// One f32 each.
    Floats,
    /// One u32 each.
    Counts,
}

impl Kind {
    /// The NumPy name of the type.
    fn name(self) -> &'static str {
        match self {
            Self::Halves(_) => "<f2",
            Self::Floats => "<f4",
            Self::Counts => "<u4",
        }
    }

    /// The size of a row in bytes.
    pub(super) fn width(self) -> u64 {
        match self {
            Self::Halves(dim) => 2 * dim as u64,
            Self::Floats | Self::Counts => 4,
        }
    }

    /// The header of a file with `rows` rows.
    pub(super) fn header(self, rows: u64) -> [u8; HEADER] {
        let shape = match self {
            Self::Halves(dim) => format!("({rows}, {dim})"),
            Self::Floats | Self::Counts => format!("({rows},)"),
        };
        let name = self.name();
        let dict = format!("{{'descr': '{name}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut header = [b' '; HEADER];
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        header[8..10].copy_from_slice(&(HEADER as u16 - 10).to_le_bytes());
        header[10..10 + dict.len()].copy_from_slice(dict.as_bytes());
        header[HEADER - 1] = b'\n';
        header
    }
}

/// A file that grows by rows.
#[derive(Debug)]
pub(super) struct Column {
    path: PathBuf,
    kind: Kind,
    out: BufWriter<File>,
    /// The size of the rows so far, in bytes.
    bytes: u64,
    halves: Vec<f16>,
}

impl Column {
    /// Opens or creates the file, and truncates it to `rows` rows.
    pub(super) fn open(path: &Path, kind: Kind, rows: u64) -> Result<Self, VectorFilesError> {
        let bytes = rows * kind.width();
        let header = if rows == 0 { 0 } else { HEADER as u64 };
        let out = BufWriter::with_capacity(1 << 18, open_at(path, header + bytes)?);
        let mut column = Self { path: path.to_owned(), kind, out, bytes, halves: Vec::new() };
        if rows == 0 {
            column.write(&kind.header(0))?;
        }
        Ok(column)
    }

    /// Appends vectors of `id`, rounded to f16.
    pub(super) fn push_halves(&mut self, id: &str, values: &[f32]) -> Result<(), VectorFilesError> {
        self.halves.resize(values.len(), f16::ZERO);
        self.halves.convert_from_f32_slice(values);
        if let Some(at) = self.halves.iter().position(|half| !half.is_finite()) {
            return Err(VectorFilesError::NotFinite { id: id.to_owned(), value: values[at] });
        }
        let bytes: Vec<u8> = self.halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        self.push(&bytes)
    }

    /// Appends alpha values of `id` unchanged.
    pub(super) fn push_floats(&mut self, id: &str, values: &[f32]) -> Result<(), VectorFilesError> {
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(VectorFilesError::Alpha { id: id.to_owned(), value });
        }
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.push(&bytes)
    }

    /// Appends counts or token ids.
    pub(super) fn push_counts(
        &mut self,
        values: impl IntoIterator<Item = u32>,
    ) -> Result<(), VectorFilesError> {
        let bytes: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
        self.push(&bytes)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), VectorFilesError> {
        self.bytes += bytes.len() as u64;
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), VectorFilesError> {
        self.out.write_all(bytes).map_err(|source| cannot_write(&self.path, source))
    }

    /// Syncs the rows to disk.
    pub(super) fn sync(&mut self) -> Result<(), VectorFilesError> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_data());
        synced.map_err(|source| cannot_write(&self.path, source))
    }

    /// Writes the row count into the header; no row may follow.
    pub(super) fn write_header(&mut self) -> Result<(), VectorFilesError> {
        let header = self.kind.header(self.bytes / self.kind.width());
        let moved = self.out.seek(SeekFrom::Start(0));
        let written = moved.and_then(|_| self.out.write_all(&header));
        written.map_err(|source| cannot_write(&self.path, source))
    }
}

/// Opens a file for appending after `length` bytes, truncating the rest; creates it if that is 0.
pub(super) fn open_at(path: &Path, length: u64) -> Result<File, VectorFilesError> {
    let open = || -> io::Result<_> {
        let new = length == 0;
        let file = File::options().write(true).create(new).truncate(false).open(path)?;
        let found = file.metadata()?.len();
        if found >= length {
            file.set_len(length)?;
            (&file).seek(SeekFrom::Start(length))?;
        }
        Ok((file, found))
    };
    match open() {
        Err(source) if length > 0 && source.kind() == io::ErrorKind::NotFound => {
            Err(VectorFilesError::Missing { path: path.to_owned(), wanted: length })
        }
        Err(source) => Err(cannot_write(path, source)),
        Ok((_, found)) if found < length => {
            Err(VectorFilesError::Size { path: path.to_owned(), found, wanted: length })
        }
        Ok((file, _)) => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_what_numpy_documents() {
        // numpy.lib.format: \x93NUMPY, 1, 0, the length of the rest as little-endian u16, a dict
        // with its keys in order, blanks, a line feed; all together a multiple of 64
        let header = Kind::Halves(128).header(5183);
        let dict = "{'descr': '<f2', 'fortran_order': False, 'shape': (5183, 128), }";
        let mut wanted = vec![0x93, b'N', b'U', b'M', b'P', b'Y', 1, 0, 118, 0];
        wanted.extend(dict.bytes());
        wanted.resize(127, b' ');
        wanted.push(b'\n');
        assert_eq!(header.to_vec(), wanted);
        assert!(wanted.len().is_multiple_of(64));
        let counts = Kind::Counts.header(3);
        assert!(
            counts[10..].starts_with(b"{'descr': '<u4', 'fortran_order': False, 'shape': (3,), }")
        );
        let floats = Kind::Floats.header(0);
        assert!(
            floats[10..].starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }")
        );
    }

    #[test]
    fn the_largest_counts_fit_into_a_header() {
        let header = Kind::Halves(usize::MAX).header(u64::MAX);
        assert_eq!(header[HEADER - 1], b'\n');
    }
}
