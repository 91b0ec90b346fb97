//! Token vectors in, ranked documents out.
//!
//! A text is a set of vectors, one per token: a [`TokenMatrix`] of *views*. An [`Encoder`] makes
//! them; this crate contains no neural network.
//!
//! ```
//! use fastlane_engine::TokenMatrix;
//!
//! let query = TokenMatrix::new(2, vec![1.0, 0.0, 0.0, 1.0]);
//! let document = TokenMatrix::new(2, vec![0.6, 0.8, 0.0, 1.0, -1.0, 0.0]);
//! // the best view for each token of the query: 0.6 for the first, 1.0 for the second
//! assert_eq!(query.sum_max(&document), 1.6);
//! ```

mod codec;
mod encoder;
mod index;
mod lists;
mod reduce;
mod search;
mod vectors;

pub use codec::Store;
pub use encoder::{
    DocumentViews, EncodeError, Encoder, FingerprintMatch, Lane, QueryViews, Token, UsualLane,
    ViewDims, check_encoder,
};
pub use index::{
    CheckReport, FEWEST_VIEWS, IndexSettings, NewDocument, OpenIndexError, Problem, Reader,
    SearchError, Statistics, WriteIndexError, Writer, WriterSettings,
};
pub use reduce::Reduction;
pub use search::{DocumentSet, Hit, Nominate, Pair, Request, Rerank, SearchTimes};
pub use vectors::{
    Origin, StoredDocument, StoredDocuments, TokenMatrix, VectorFilesError, VectorShape,
    VectorWriter, WriteProgress,
};
