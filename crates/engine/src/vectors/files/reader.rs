//! Reads a directory of views, document by document.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::path::{Path, PathBuf};

use super::array::{Array, ArrayContent};
use super::error::{VectorFilesError, cannot_read};
use super::origin::Origin;
use super::{IDS, LANE_LENGTHS, LANES, LENGTHS, SOFT, TOKENS, VECTORS, VectorShape, WEIGHTS};
use crate::vectors::TokenMatrix;

/// The data of one text in a directory of views.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// The id.
    pub id: String,
    /// The token of each view, by its id in the vocabulary, if stored.
    pub tokens: Option<Vec<u32>>,
    /// The token views.
    pub views: TokenMatrix,
    /// The lane views, if separate.
    pub lane_views: Option<TokenMatrix>,
    /// The importance of each token view, if stored.
    pub weights: Option<Vec<f32>>,
    /// The soft lane, if the texts are queries.
    pub soft: Option<TokenMatrix>,
}

impl StoredDocument {
    /// The views that search: the soft lane, the lane views, or else the token views.
    pub fn searched(&self) -> &TokenMatrix {
        self.soft.as_ref().or(self.lane_views.as_ref()).unwrap_or(&self.views)
    }
}

/// Iterates over the documents of a directory in order, with one in memory at a time.
///
/// The directory may be from another program: vectors may be f32, lengths integers of any kind, and
/// tokens may be missing.
///
/// The first error ends the iterator.
#[derive(Debug)]
pub struct StoredDocuments {
    shape: VectorShape,
    origin: Option<Origin>,
    left: u64,
    ids: BufReader<File>,
    id_path: PathBuf,
    vectors: Array,
    tokens: Option<Array>,
    weights: Option<Array>,
    lengths: Array,
    lanes: Option<[Array; 2]>,
    soft: Option<Array>,
}

impl StoredDocuments {
    /// Opens a finished directory, and checks that its files are consistent.
    ///
    /// # Errors
    ///
    /// Its format is unsupported; or a file is absent, is another array, is longer or shorter than
    /// its header states, or has more or fewer rows than another file counts.
    pub fn open(directory: &Path) -> Result<Self, VectorFilesError> {
        // the format is checked first, as it determines the other files
        let origin = Origin::read(directory)?;
        let open = |name: &str, wanted| Array::open(&directory.join(name), wanted);
        let vectors = open(VECTORS, ArrayContent::Vectors)?;
        let there = |name: &str| directory.join(name).exists();
        let tokens = there(TOKENS).then(|| open(TOKENS, ArrayContent::Counts)).transpose()?;
        let weights = there(WEIGHTS).then(|| open(WEIGHTS, ArrayContent::Weights)).transpose()?;
        let mut lengths = open(LENGTHS, ArrayContent::Counts)?;
        let sum = lengths.sum()?;
        let of_views = std::iter::once(&vectors).chain(&tokens).chain(&weights);
        of_views.into_iter().try_for_each(|array| array.check_rows(sum, &lengths))?;
        let lanes = match there(LANES) {
            true => {
                let lanes = open(LANES, ArrayContent::Vectors)?;
                let mut lane_lengths = open(LANE_LENGTHS, ArrayContent::Counts)?;
                lane_lengths.check_rows(lengths.rows, &lengths)?;
                lanes.check_rows(lane_lengths.sum()?, &lane_lengths)?;
                Some([lanes, lane_lengths])
            }
            false => None,
        };
        let soft = there(SOFT).then(|| open(SOFT, ArrayContent::Vectors)).transpose()?;
        soft.iter().try_for_each(|soft| soft.check_rows(lengths.rows, &lengths))?;
        let lane_dim = lanes.as_ref().map(|[lanes, _]| lanes.columns);
        let soft_dim = soft.as_ref().map(|soft| soft.columns);
        let id_path = directory.join(IDS);
        let ids = open_ids(&id_path, &lengths)?;
        Ok(Self {
            shape: VectorShape { dim: vectors.columns, lane_dim, soft_dim },
            origin,
            left: lengths.rows,
            ids,
            id_path,
            vectors,
            tokens,
            weights,
            lengths,
            lanes,
            soft,
        })
    }

    /// The number of documents that are left.
    pub fn len(&self) -> u64 {
        self.left
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The dimensions of the views, and whether there are separate lane views.
    pub fn shape(&self) -> VectorShape {
        self.shape
    }

    /// The model that made the views, if stored.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Returns whether there is a weight for each token view.
    pub fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    fn read(&mut self) -> Result<StoredDocument, VectorFilesError> {
        let mut id = String::new();
        let read = self.ids.read_line(&mut id);
        read.map_err(|source| cannot_read(&self.id_path, source))?;
        // other programs may end lines with both, or leave the last without an end
        for end in ['\n', '\r'] {
            id.truncate(id.strip_suffix(end).unwrap_or(&id).len());
        }
        let count = self.lengths.counts(1)?[0] as usize;
        let lane_views = match &mut self.lanes {
            Some([lanes, lengths]) => {
                let count = lengths.counts(1)?[0] as usize;
                Some(lanes.matrix(count)?)
            }
            None => None,
        };
        let tokens = self.tokens.as_mut().map(|tokens| tokens.counts(count)).transpose()?;
        let weights = self.weights.as_mut().map(|weights| weights.floats(count)).transpose()?;
        let soft = self.soft.as_mut().map(|soft| soft.matrix(1)).transpose()?;
        let views = self.vectors.matrix(count)?;
        Ok(StoredDocument { id, tokens, views, lane_views, weights, soft })
    }
}

/// Opens a file of ids, and checks that there are as many lines as lengths.
fn open_ids(path: &Path, lengths: &Array) -> Result<BufReader<File>, VectorFilesError> {
    let counted = || -> io::Result<_> {
        let mut ids = BufReader::new(File::open(path)?);
        let found = (&mut ids).split(b'\n').try_fold(0, |count, line| line.map(|_| count + 1))?;
        ids.rewind()?;
        Ok((ids, found))
    };
    let (ids, found) = counted().map_err(|source| cannot_read(path, source))?;
    if found == lengths.rows {
        return Ok(ids);
    }
    let (path, other) = (path.to_owned(), lengths.path.clone());
    Err(VectorFilesError::Rows { path, found, other, wanted: lengths.rows })
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
