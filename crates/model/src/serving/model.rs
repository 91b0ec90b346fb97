//! The encoder: a checkpoint in memory, ready for texts, and the threads that work on them.

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

/// How a model computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How exactly, and with which instructions.
    pub precision: Precision,
    /// How many threads share the work: parts of one query, or documents side by side.
    pub threads: NonZero<usize>,
    /// How many documents are in work at a time; one that takes long holds up the others only
    /// when so many have come after it.
    pub window: NonZero<usize>,
    /// Run only so many layers of the encoders, the first ones.
    pub layers: Option<usize>,
}

impl Default for Settings {
    /// The fastest way on all cores, 256 documents at a time.
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
/// whatever texts come with it.
#[derive(Debug)]
pub struct Model {
    directory: PathBuf,
    towers: Arc<Pipeline>,
    earlier: Files,
    window: NonZero<usize>,
    pool: ThreadPool,
    turns: InFlight,
}

impl Model {
    /// Opens the checkpoint in a directory and packs its weights.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be read, or this CPU lacks the instructions that are asked for.
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
        // after the cut: fewer layers make other states
        let earlier = Files::of(&checkpoint);
        let towers = Arc::new(Pipeline::load(kernel, checkpoint)?);
        let directory = directory.to_owned();
        let (window, turns) = (settings.window, InFlight::default());
        Ok(Self { directory, towers, earlier, window, pool, turns })
    }

    /// Where it was opened.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Tells what kind of checkpoint it is.
    pub fn layout(&self) -> Layout {
        self.towers.layout
    }

    /// Tells the model from all others by its weights, its tokenizer and its settings, as they were
    /// when it was opened. With fewer layers it is another model.
    pub fn fingerprint(&self) -> Fingerprint {
        self.towers.fingerprint
    }

    /// Compares a fingerprint that was kept, in whatever form, with that of the model.
    ///
    /// # Errors
    ///
    /// It has the form of earlier versions, which read the files again, and one cannot be read.
    pub fn compare(&self, kept: &str) -> Result<FingerprintMatch, CheckpointError> {
        earlier::compare(kept, self.fingerprint(), || self.earlier_fingerprint())
    }

    /// What earlier versions of this program told the model from others by; it goes with 0.1.0.
    ///
    /// # Errors
    ///
    /// A file cannot be read any more.
    pub fn earlier_fingerprint(&self) -> Result<u64, CheckpointError> {
        self.earlier.hash()
    }

    /// Names the instructions that it computes with.
    pub fn instructions(&self) -> &'static str {
        self.towers.kernel.name()
    }

    /// Tells how long a token view is.
    pub fn dim(&self) -> usize {
        self.towers.document.tokens.dim()
    }

    /// Tells how long a view is that is searched.
    pub fn lane_dim(&self) -> usize {
        self.towers.document.lane().dim()
    }

    /// Counts the tokens that a query and a document may have.
    pub fn lengths(&self) -> (usize, usize) {
        (self.towers.query_side.length, self.towers.document_side.length)
    }

    /// Counts the bytes of the weights as they are held in memory.
    pub fn weight_bytes(&self) -> usize {
        self.towers.bytes()
    }

    /// The last hidden states of a document's tokens, one row for each: what views are made of.
    ///
    /// It is the door for those who compare encoders.
    ///
    /// # Panics
    ///
    /// There are no tokens, more than the encoder has positions, or ids beyond its vocabulary.
    pub fn states(&self, ids: &[u32]) -> TokenMatrix {
        let turn = self.turns.begin();
        self.towers.states(ids, turn.is_alone().then_some(&self.pool))
    }

    /// The states of many documents, side by side on all threads.
    ///
    /// # Panics
    ///
    /// As [`states`](Self::states).
    pub fn states_of_many(&self, documents: &[Vec<u32>]) -> Vec<TokenMatrix> {
        let _turn = self.turns.begin();
        side_by_side(&self.pool, documents, Vec::len, |ids| self.towers.states(ids, None))
    }

    /// Counts the multiplications and additions in products for each token of a document that is
    /// `length` tokens long.
    pub fn operations(&self, length: usize) -> f64 {
        self.towers.document.bert.operations(length)
    }
}

impl Encoder for Model {
    fn fingerprint(&self) -> String {
        self.towers.fingerprint.to_string()
    }

    fn dims(&self) -> ViewDims {
        let tokens = self.towers.has_lane_views().then(|| self.dim());
        ViewDims { searched: self.lane_dim(), tokens }
    }

    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        self.encode_query_timed(text).map(|(views, _)| views)
    }

    /// A query that comes alone is helped by other threads. Beside others, or beside documents, it
    /// is encoded on the calling thread: the others may have hundreds of documents to do first.
    fn encode_query_timed(&self, text: &str) -> Result<(QueryViews, Duration), EncodeError> {
        let turn = self.turns.begin();
        self.towers.encode_query(text, turn.is_alone().then_some(&self.pool))
    }

    /// InputSettings by side on all threads.
    fn encode_queries(&self, texts: &[&str]) -> Vec<Result<QueryViews, EncodeError>> {
        let _turn = self.turns.begin();
        side_by_side(
            &self.pool,
            texts,
            |text| text.len(),
            |text| self.towers.encode_query(text, None).map(|(views, _)| views),
        )
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        Box::new(DocumentStream::new(&self.towers, (&self.pool, &self.turns), self.window, texts))
    }

    fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        self.towers.document_tokens(text)
    }

    fn compare(&self, kept: &str) -> Result<FingerprintMatch, Box<dyn Error + Send + Sync>> {
        Ok(Self::compare(self, kept)?)
    }

    fn location(&self) -> Option<&Path> {
        Some(&self.directory)
    }

    fn has_router(&self) -> bool {
        self.towers.router.is_some()
    }
}
