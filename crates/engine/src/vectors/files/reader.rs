//! Reads a directory of views again, document by document.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::error::{VectorFilesError, cannot_read};
use super::npy::{HEADER, MAGIC};
use super::{IDS, LANE_LENGTHS, LANES, LENGTHS, TOKENS, VECTORS, VectorShape};
use crate::vectors::TokenMatrix;

/// What a directory of views holds of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// The id.
    pub id: String,
    /// The token of each view, by its id in the vocabulary.
    pub tokens: Vec<u32>,
    /// The token views, rounded to f16.
    pub views: TokenMatrix,
    /// The lane views, when they are apart.
    pub lane_views: Option<TokenMatrix>,
}

/// The documents of a directory, in their order, one in memory at a time.
///
/// The first error ends them.
#[derive(Debug)]
pub struct StoredDocuments {
    shape: VectorShape,
    left: u64,
    ids: BufReader<File>,
    id_path: PathBuf,
    vectors: Array,
    tokens: Array,
    lengths: Array,
    lanes: Option<[Array; 2]>,
}

impl StoredDocuments {
    /// Opens a directory that is finished, and compares its files with each other.
    ///
    /// # Errors
    ///
    /// A file is absent, holds another array, is longer or shorter than its header says, or has
    /// more or fewer rows than another counts.
    pub fn open(directory: &Path) -> Result<Self, VectorFilesError> {
        let open = |name: &str, wanted| Array::open(&directory.join(name), wanted);
        let vectors = open(VECTORS, Wanted::Vectors)?;
        let tokens = open(TOKENS, Wanted::Counts)?;
        let mut lengths = open(LENGTHS, Wanted::Counts)?;
        let sum = lengths.sum()?;
        vectors.check_rows(sum, &lengths)?;
        tokens.check_rows(sum, &lengths)?;
        let lanes = match directory.join(LANES).exists() {
            true => {
                let lanes = open(LANES, Wanted::Vectors)?;
                let mut lane_lengths = open(LANE_LENGTHS, Wanted::Counts)?;
                lane_lengths.check_rows(lengths.rows, &lengths)?;
                lanes.check_rows(lane_lengths.sum()?, &lane_lengths)?;
                Some([lanes, lane_lengths])
            }
            false => None,
        };
        let lane_dim = lanes.as_ref().map(|[lanes, _]| lanes.columns);
        let id_path = directory.join(IDS);
        let ids = File::open(&id_path).map_err(|source| cannot_read(&id_path, source))?;
        Ok(Self {
            shape: VectorShape { dim: vectors.columns, lane_dim, soft_dim: None },
            left: lengths.rows,
            ids: BufReader::new(ids),
            id_path,
            vectors,
            tokens,
            lengths,
            lanes,
        })
    }

    /// Counts the documents that are still to come.
    pub fn len(&self) -> u64 {
        self.left
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Tells how long the views are, and whether there are lane views apart.
    pub fn shape(&self) -> VectorShape {
        self.shape
    }

    fn read(&mut self) -> Result<StoredDocument, VectorFilesError> {
        let mut id = String::new();
        let read = self.ids.read_line(&mut id);
        read.map_err(|source| cannot_read(&self.id_path, source))?;
        if id.pop() != Some('\n') {
            let source = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(cannot_read(&self.id_path, source));
        }
        let count = self.lengths.counts(1)?[0] as usize;
        let lane_views = match &mut self.lanes {
            Some([lanes, lengths]) => {
                let count = lengths.counts(1)?[0] as usize;
                Some(lanes.matrix(count)?)
            }
            None => None,
        };
        let tokens = self.tokens.counts(count)?;
        Ok(StoredDocument { id, tokens, views: self.vectors.matrix(count)?, lane_views })
    }
}

impl Iterator for StoredDocuments {
    type Item = Result<StoredDocument, VectorFilesError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let document = self.read();
        if document.is_err() {
            self.left = 0;
        }
        Some(document)
    }
}

/// What an array is to be.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Vectors,
    Counts,
}

/// An NPY file that is read from its beginning.
#[derive(Debug)]
struct Array {
    path: PathBuf,
    rows: u64,
    columns: usize,
    left: BufReader<File>,
}

impl Array {
    fn open(path: &Path, wanted: Wanted) -> Result<Self, VectorFilesError> {
        let refuse = |source| cannot_read(path, source);
        let mut file = File::open(path).map_err(refuse)?;
        let length = file.metadata().map_err(refuse)?.len();
        let mut header = Vec::new();
        (&mut file).take(HEADER as u64).read_to_end(&mut header).map_err(refuse)?;
        let header = String::from_utf8_lossy(&header[MAGIC.len().min(header.len())..]).into_owned();
        let (name, text, width) = match wanted {
            Wanted::Vectors => ("<f2", "f16 with rows and columns", 2),
            Wanted::Counts => ("<u4", "u32 in one row", 4),
        };
        let shape = shape(&header, name).filter(|(_, columns)| match wanted {
            Wanted::Vectors => columns.is_some_and(|columns| columns > 0),
            Wanted::Counts => columns.is_none(),
        });
        let Some((rows, columns)) = shape else {
            let found =
                header.split(['{', '}']).nth(1).unwrap_or("no header of format 1.0").to_owned();
            return Err(VectorFilesError::Array { path: path.to_owned(), found, wanted: text });
        };
        let columns = columns.unwrap_or(1);
        let size = (columns as u64).saturating_mul(width).saturating_mul(rows);
        let size = size.saturating_add(HEADER as u64);
        if size != length {
            let path = path.to_owned();
            return Err(VectorFilesError::Size { path, found: length, wanted: size });
        }
        Ok(Self { path: path.to_owned(), rows, columns, left: BufReader::new(file) })
    }

    /// Makes sure that there are as many rows as another array counts.
    fn check_rows(&self, wanted: u64, by: &Self) -> Result<(), VectorFilesError> {
        if self.rows == wanted {
            return Ok(());
        }
        let (path, other) = (self.path.clone(), by.path.clone());
        Err(VectorFilesError::Rows { path, found: self.rows, other, wanted })
    }

    /// Adds up all counts, and goes back to the first.
    fn sum(&mut self) -> Result<u64, VectorFilesError> {
        let (mut sum, mut left) = (0, self.rows);
        while left > 0 {
            let some = left.min(1 << 16);
            sum += self.counts(some as usize)?.into_iter().map(u64::from).sum::<u64>();
            left -= some;
        }
        let back = self.left.seek(SeekFrom::Start(HEADER as u64));
        back.map_err(|source| cannot_read(&self.path, source))?;
        Ok(sum)
    }

    fn counts(&mut self, count: usize) -> Result<Vec<u32>, VectorFilesError> {
        let bytes = self.bytes(4 * count)?;
        let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes);
        Ok(bytes.chunks_exact(4).map(|bytes| number(bytes).expect("chunks of four")).collect())
    }

    fn matrix(&mut self, rows: usize) -> Result<TokenMatrix, VectorFilesError> {
        let bytes = self.bytes(2 * rows * self.columns)?;
        let halves: Vec<f16> =
            bytes.chunks_exact(2).map(|bytes| f16::from_le_bytes([bytes[0], bytes[1]])).collect();
        Ok(TokenMatrix::new(self.columns, halves.to_f32_vec()))
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

/// The shape that a header states for values of a type: rows and, in a matrix, columns.
fn shape(header: &str, name: &str) -> Option<(u64, Option<usize>)> {
    let header = header.strip_prefix("\u{76}\0")?;
    let dict =
        header.strip_prefix(&format!("{{'descr': '{name}', 'fortran_order': False, 'shape': ("))?;
    let (rows, rest) = dict.split_once(',')?;
    let columns = rest.split_once(')')?.0.trim();
    let columns = if columns.is_empty() { None } else { Some(columns.parse().ok()?) };
    Some((rows.parse().ok()?, columns))
}
