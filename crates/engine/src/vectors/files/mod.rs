//! A directory of views: the encodings of many texts, as files that NumPy loads.
//!
//! | file | type and shape | |
//! |---|---|---|
//! | `vectors.npy` | f16 `[views, dim]` | the token views of all texts, one after the other |
//! | `tokens.npy` | u32 `[views]` | the token of each view, by its id in the vocabulary |
//! | `doclens.npy` | u32 `[texts]` | how many of these each text has |
//! | `ids.txt` | a line per text | its id |
//! | `lanes.npy` | f16 `[lanes, lane dim]` | the searched views, if separate from the token views |
//! | `lanelens.npy` | u32 `[texts]` | the number of lane views of each text |
//! | `alpha.npy` | f32 `[views]` | queries only: the share of the intent that each token carries |
//! | `soft.npy` | f16 `[texts, lane dim]` | queries only: the soft lane |
//! | `model.json` | the format and an [`Origin`] | which model made the views |
//! | `weights.npy` | f16 or f32 `[views]` | read only: how important each token view is |
//!
//! The files only grow, text by text, until [`VectorWriter::finish`] writes the row counts into the
//! headers. [`VectorWriter::sync`] returns how much is on the disk. A caller who stores this can
//! [continue](VectorWriter::open) from there after a crash, whatever was written since: the result
//! is byte for byte the same.

mod array;
mod error;
mod ids;
mod npy;
mod origin;
mod reader;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::encoder::{DocumentViews, QueryViews, Token};
use crate::vectors::TokenMatrix;

pub use error::VectorFilesError;
pub use origin::Origin;
pub use reader::{StoredDocument, StoredDocuments};

use error::cannot_write;
use ids::Ids;
use npy::{Column, Kind};

const VECTORS: &str = "vectors.npy";
const TOKENS: &str = "tokens.npy";
const LENGTHS: &str = "doclens.npy";
const IDS: &str = "ids.txt";
const LANES: &str = "lanes.npy";
const LANE_LENGTHS: &str = "lanelens.npy";
const ALPHA: &str = "alpha.npy";
const SOFT: &str = "soft.npy";
const ORIGIN: &str = "model.json";
const WEIGHTS: &str = "weights.npy";

/// The dimensions of an encoder's views, and which kinds there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorShape {
    /// The dimension of a token view.
    pub dim: usize,
    /// The dimension of a lane view, if lane views are separate from the token views.
    pub lane_dim: Option<usize>,
    /// The dimension of the soft lane; set if the texts are queries.
    pub soft_dim: Option<usize>,
}

impl VectorShape {
    /// The shape of a document encoding.
    pub fn of_document(views: &DocumentViews) -> Self {
        let lane_dim = views.lane_views.as_ref().map(TokenMatrix::dim);
        Self { dim: views.views.dim(), lane_dim, soft_dim: None }
    }

    /// The shape of a query encoding.
    pub fn of_query(views: &QueryViews) -> Self {
        let lane_dim = views.lane_views.as_ref().map(TokenMatrix::dim);
        Self { dim: views.views.dim(), lane_dim, soft_dim: Some(views.soft_lane.len()) }
    }
}

/// The progress of a directory of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteProgress {
    /// Texts.
    pub texts: u64,
    /// Token views of all texts.
    pub views: u64,
    /// Separate lane views of all texts.
    pub lanes: u64,
    /// The size of the ids with their line ends, in bytes.
    pub id_bytes: u64,
}

/// Writes the views of texts into a directory, text after text.
///
/// After an error no text may follow, but those before it can still be [synced](Self::sync).
#[derive(Debug)]
pub struct VectorWriter {
    directory: PathBuf,
    shape: VectorShape,
    written: WriteProgress,
    ids: Ids,
    vectors: Column,
    tokens: Column,
    lengths: Column,
    lanes: Option<[Column; 2]>,
    queries: Option<[Column; 2]>,
}

impl VectorWriter {
    /// The file that identifies a directory of views: always present, and rarely used for anything
    /// else.
    pub const SIGN: &str = VECTORS;

    /// Opens the files in an existing directory, and continues after `written`.
    ///
    /// Data beyond it is truncated, so the default [`WriteProgress`] starts an empty directory.
    ///
    /// # Errors
    ///
    /// A file is absent or shorter than it should be, or an I/O call fails.
    pub fn open(
        directory: &Path,
        shape: VectorShape,
        written: WriteProgress,
    ) -> Result<Self, VectorFilesError> {
        let WriteProgress { texts, views, lanes, id_bytes } = written;
        let column = |name, kind, rows| Column::open(&directory.join(name), kind, rows);
        let pair = |first, second| -> Result<_, VectorFilesError> { Ok([first?, second?]) };
        Ok(Self {
            directory: directory.to_owned(),
            shape,
            written,
            ids: Ids::open(directory.join(IDS), id_bytes)?,
            vectors: column(VECTORS, Kind::Halves(shape.dim), views)?,
            tokens: column(TOKENS, Kind::Counts, views)?,
            lengths: column(LENGTHS, Kind::Counts, texts)?,
            lanes: (shape.lane_dim)
                .map(|dim| {
                    pair(
                        column(LANES, Kind::Halves(dim), lanes),
                        column(LANE_LENGTHS, Kind::Counts, texts),
                    )
                })
                .transpose()?,
            queries: (shape.soft_dim)
                .map(|dim| {
                    pair(column(ALPHA, Kind::Floats, views), column(SOFT, Kind::Halves(dim), texts))
                })
                .transpose()?,
        })
    }

    /// Returns how many texts and views were written, synced or not.
    pub fn written(&self) -> WriteProgress {
        self.written
    }

    /// Adds the views of a document.
    ///
    /// # Errors
    ///
    /// The id has a line break or occurred before, a value does not fit f16, or an I/O call fails.
    ///
    /// # Panics
    ///
    /// The views do not have the shape that the writer was opened with.
    pub fn push_document(
        &mut self,
        id: &str,
        document: &DocumentViews,
    ) -> Result<(), VectorFilesError> {
        assert_eq!(self.shape, VectorShape::of_document(document), "one encoder, one shape");
        self.push(id, &document.tokens, &document.views, document.lane_views.as_ref())
    }

    /// Adds the views of a query, alpha and the soft lane.
    ///
    /// # Errors
    ///
    /// As [`push_document`](Self::push_document).
    ///
    /// # Panics
    ///
    /// As [`push_document`](Self::push_document).
    pub fn push_query(&mut self, id: &str, query: &QueryViews) -> Result<(), VectorFilesError> {
        assert_eq!(self.shape, VectorShape::of_query(query), "one encoder, one shape");
        // first, because the rest counts the text as written
        if let Some([alpha, soft]) = &mut self.queries {
            alpha.push_floats(id, &query.alpha)?;
            soft.push_halves(id, &query.soft_lane)?;
        }
        self.push(id, &query.tokens, &query.views, query.lane_views.as_ref())
    }

    fn push(
        &mut self,
        id: &str,
        tokens: &[Token],
        views: &TokenMatrix,
        lane_views: Option<&TokenMatrix>,
    ) -> Result<(), VectorFilesError> {
        assert_eq!(tokens.len(), views.len(), "a token for each view");
        self.ids.check(id)?;
        self.vectors.push_halves(id, views.values())?;
        self.tokens.push_counts(tokens.iter().map(|token| token.id))?;
        self.lengths.push_counts([count(views)])?;
        if let (Some([lanes, lengths]), Some(views)) = (&mut self.lanes, lane_views) {
            lanes.push_halves(id, views.values())?;
            lengths.push_counts([count(views)])?;
        }
        self.ids.push(id)?;
        self.written.texts += 1;
        self.written.views += views.len() as u64;
        self.written.lanes += lane_views.map_or(0, TokenMatrix::len) as u64;
        self.written.id_bytes += id.len() as u64 + 1;
        Ok(())
    }

    /// Syncs everything to disk, and returns how much was written.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn sync(&mut self) -> Result<WriteProgress, VectorFilesError> {
        self.columns().try_for_each(Column::sync)?;
        self.ids.sync()?;
        Ok(self.written)
    }

    /// Writes the row counts into the headers, and syncs everything to disk.
    ///
    /// # Errors
    ///
    /// An I/O call fails.
    pub fn finish(mut self) -> Result<WriteProgress, VectorFilesError> {
        self.columns().try_for_each(Column::write_header)?;
        let written = self.sync()?;
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| cannot_write(&self.directory, source))?;
        Ok(written)
    }

    /// Whether a directory of views may have a file of this name.
    pub fn is_file_name(name: &str) -> bool {
        [VECTORS, TOKENS, LENGTHS, IDS, LANES, LANE_LENGTHS, ALPHA, SOFT, ORIGIN].contains(&name)
    }

    /// The ids of a directory up to a [`WriteProgress`]: those that a resumed run skips.
    ///
    /// # Errors
    ///
    /// There are fewer, or an I/O call fails; an error ends the iterator.
    pub fn ids(
        directory: &Path,
        written: WriteProgress,
    ) -> Result<
        impl Iterator<Item = Result<String, VectorFilesError>> + Send + use<>,
        VectorFilesError,
    > {
        ids::read(&directory.join(IDS), written.id_bytes)
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut Column> {
        let always = [&mut self.vectors, &mut self.tokens, &mut self.lengths];
        always
            .into_iter()
            .chain(self.lanes.iter_mut().flatten())
            .chain(self.queries.iter_mut().flatten())
    }
}

fn count(views: &TokenMatrix) -> u32 {
    u32::try_from(views.len()).expect("an encoder has a length, far below 4 billion tokens")
}
