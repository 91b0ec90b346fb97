//! The encoder: a checkpoint in memory, and the threads that encode texts with it.

use std::error::Error;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fastlane_engine::{
    DocumentViews, EncodeError, Encoder, FingerprintMatch, QueryViews, Token, TokenMatrix, ViewDims,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::checkpoint::{Checkpoint, CheckpointError, Layout};
use crate::error::OpenError;
use crate::fingerprint::Fingerprint;
use crate::fingerprint::earlier::{self, Files};
use crate::serving::document_stream::{DocumentStream, side_by_side};
use crate::serving::in_flight::InFlight;
use crate::serving::pipeline::Pipeline;
use fastlane_kernels::encoder::{Kernel, Precision};

/// The settings of a model at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The numeric precision, and the instructions it may use.
    pub precision: Precision,
    /// The number of threads: they share parts of one query, or encode documents in parallel.
    pub threads: NonZero<usize>,
    /// The number of documents in flight; a slow one delays the others only when this many have
    /// come after it.
    pub window: NonZero<usize>,
    /// Run only this many layers of the encoders, the first ones.
    pub layers: Option<usize>,
}

impl Default for Settings {
    /// The fastest precision, all cores, 256 documents in flight.
    fn default() -> Self {
        Self {
            precision: Precision::Auto,
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            window: NonZero::new(256).expect("256 is not 0"),
            layers: None,
        }
    }
}

/// A checkpoint in memory: texts in, views out.
///
/// The same text gives the same bits on one kind of CPU, whatever the number of threads and
/// whatever texts are encoded with it.
#[derive(Debug)]
pub struct Model {
    directory: PathBuf,
    pipeline: Arc<Pipeline>,
    earlier: Files,
    window: NonZero<usize>,
    pool: ThreadPool,
    in_flight: InFlight,
}

impl Model {
    /// Opens the checkpoint in a directory and packs its weights.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be read, or this CPU lacks the instructions for the precision.
    pub fn open(directory: impl AsRef<Path>, settings: &Settings) -> Result<Self, OpenError> {
        let directory = directory.as_ref();
        let kernel = Kernel::choose(settings.precision).ok_or(OpenError::Instructions)?;
        let pool = ThreadPoolBuilder::new()
            .num_threads(settings.threads.get())
            .thread_name(|index| format!("encode-{index}"))
            .build()?;
        let mut checkpoint = Checkpoint::open(directory)?;
        let layers = settings.layers.unwrap_or(usize::MAX);
        for tower in std::iter::once(&mut checkpoint.query).chain(&mut checkpoint.document) {
            tower.architecture.layers = tower.architecture.layers.min(layers);
        }
        // after the cut: fewer layers give other states
        let earlier = Files::of(&checkpoint);
        let pipeline = Arc::new(Pipeline::load(kernel, checkpoint)?);
        let directory = directory.to_owned();
        let (window, in_flight) = (settings.window, InFlight::default());
        Ok(Self { directory, pipeline, earlier, window, pool, in_flight })
    }

    /// The directory of the checkpoint.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The layout of the checkpoint.
    pub fn layout(&self) -> Layout {
        self.pipeline.layout
    }

    /// Identifies the model by its weights, its tokenizer and its settings, as they were when it
    /// was opened. With fewer layers it is another model.
    pub fn fingerprint(&self) -> Fingerprint {
        self.pipeline.fingerprint
    }

    /// Compares a stored fingerprint, in either form, with that of the model.
    ///
    /// # Errors
    ///
    /// It has the earlier form, for which the files are read again, and one cannot be read.
    pub fn compare(&self, kept: &str) -> Result<FingerprintMatch, CheckpointError> {
        earlier::compare(kept, self.fingerprint(), || self.earlier_fingerprint())
    }

    /// The fingerprint of the model in the earlier form; it is removed with 0.1.0.
    ///
    /// # Errors
    ///
    /// A file is not readable any more.
    pub fn earlier_fingerprint(&self) -> Result<u64, CheckpointError> {
        self.earlier.hash()
    }

    /// The name of the instructions that it uses.
    pub fn instructions(&self) -> &'static str {
        self.pipeline.kernel.name()
    }

    /// The dimension of a token view.
    pub fn dim(&self) -> usize {
        self.pipeline.document.tokens.dim()
    }

    /// The dimension of a searched view.
    pub fn lane_dim(&self) -> usize {
        self.pipeline.document.lane().dim()
    }

    /// The largest number of tokens of a query and of a document.
    pub fn lengths(&self) -> (usize, usize) {
        (self.pipeline.query_side.length, self.pipeline.document_side.length)
    }

    /// The size of the weights in memory, in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.pipeline.bytes()
    }

    /// The last hidden states of a document's tokens, one row per token: the input of the heads.
    ///
    /// For comparing encoders.
    ///
    /// # Panics
    ///
    /// There are no tokens, more than the encoder has positions, or ids beyond its vocabulary.
    pub fn states(&self, ids: &[u32]) -> TokenMatrix {
        let guard = self.in_flight.begin();
        self.pipeline.states(ids, guard.is_alone().then_some(&self.pool))
    }

    /// The hidden states of many documents, computed in parallel on all threads.
    ///
    /// # Panics
    ///
    /// As [`states`](Self::states).
    pub fn states_of_many(&self, documents: &[Vec<u32>]) -> Vec<TokenMatrix> {
        let _guard = self.in_flight.begin();
        side_by_side(&self.pool, documents, Vec::len, |ids| self.pipeline.states(ids, None))
    }

    /// The multiplications and additions in products per token, for a document of `length` tokens.
    pub fn operations(&self, length: usize) -> f64 {
        self.pipeline.document.encoder.operations(length)
    }
}

impl Encoder for Model {
    fn fingerprint(&self) -> String {
        self.pipeline.fingerprint.to_string()
    }

    fn dims(&self) -> ViewDims {
        let tokens = self.pipeline.has_lane_views().then(|| self.dim());
        ViewDims { searched: self.lane_dim(), tokens }
    }

    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        self.encode_query_timed(text).map(|(views, _)| views)
    }

    /// A query alone uses the pool. Otherwise it is encoded on the calling thread, because the pool
    /// may have hundreds of documents queued.
    fn encode_query_timed(&self, text: &str) -> Result<(QueryViews, Duration), EncodeError> {
        let guard = self.in_flight.begin();
        self.pipeline.encode_query(text, guard.is_alone().then_some(&self.pool))
    }

    /// Encodes the queries in parallel on all threads.
    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        let _guard = self.in_flight.begin();
        side_by_side(
            &self.pool,
            texts,
            |text| text.len(),
            |text| self.pipeline.encode_query(text, None).map(|(views, _)| views),
        )
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        Box::new(DocumentStream::new(
            &self.pipeline,
            (&self.pool, &self.in_flight),
            self.window,
            texts,
        ))
    }

    fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        self.pipeline.document_tokens(text)
    }

    fn document_limit(&self) -> Option<usize> {
        Some(self.pipeline.document_limit())
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.pipeline.count_tokens(text)
    }

    fn compare(&self, kept: &str) -> Result<FingerprintMatch, Box<dyn Error + Send + Sync>> {
        Ok(Self::compare(self, kept)?)
    }

    fn location(&self) -> Option<&Path> {
        Some(&self.directory)
    }

    fn has_router(&self) -> bool {
        self.pipeline.router.is_some()
    }
}
