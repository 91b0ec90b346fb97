//! The encoder: a checkpoint in memory, ready for texts.
//!
//! A query: text → tokens → query tower → states → views → router → alpha, and the soft lane.
//! A document: text → tokens → document tower → states → views, and lane views if it has them.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};

use fastlane_engine::{DocumentViews, EncodeError, Encoder, QueryViews, Token, TokenMatrix};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::bert::Workspace;
use crate::checkpoint::{Checkpoint, Layout, RouterFiles, RouterInput};
use crate::document_lanes::DocumentLanes;
use crate::documents::{Documents, side_by_side};
use crate::error::OpenError;
use crate::kernels::{Kernel, Precision};
use crate::project::{Projection, mix};
use crate::router::Router;
use crate::tokenise::{Side, Tokeniser, Tokens};
use crate::tower::Tower;

/// How a model computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How exactly, and with which instructions.
    pub precision: Precision,
    /// How many threads share the work: parts of one query, or documents side by side.
    pub threads: NonZero<usize>,
    /// How many documents are taken in at a time, and encoded longest first.
    pub window: NonZero<usize>,
}

impl Default for Settings {
    /// The fastest way on all cores, 256 documents at a time.
    fn default() -> Self {
        Self {
            precision: Precision::Auto,
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            window: NonZero::new(256).expect("256 is not 0"),
        }
    }
}

/// A checkpoint in memory: texts in, views out.
///
/// The same text gives the same bits on one kind of CPU, whatever the number of threads and
/// whatever texts come with it.
#[derive(Debug)]
pub struct Model {
    layout: Layout,
    kernel: Kernel,
    tokeniser: Tokeniser,
    query_side: Side,
    document_side: Side,
    query: Tower,
    document: Tower,
    router: Option<Router>,
    document_lanes: Option<DocumentLanes>,
    window: NonZero<usize>,
    pool: ThreadPool,
    workspaces: Mutex<Vec<Workspace>>,
}

impl Model {
    /// Opens the checkpoint in a directory and packs its weights.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be read, or this CPU lacks the instructions that are asked for.
    pub fn open(directory: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let kernel = Kernel::choose(settings.precision).ok_or(OpenError::Instructions)?;
        let pool = ThreadPoolBuilder::new()
            .num_threads(settings.threads.get())
            .thread_name(|index| format!("encode-{index}"))
            .build()?;
        let files = Checkpoint::open(directory)?;
        let query = Tower::load(kernel, &files.query, files.normalise)?;
        let document = match &files.document {
            Some(document) => Tower::load(kernel, document, files.normalise)?,
            None => query.tie(),
        };
        let model = Self {
            layout: files.layout,
            kernel,
            tokeniser: files.tokeniser,
            query_side: files.query_side,
            document_side: files.document_side,
            query,
            document,
            router: None,
            document_lanes: None,
            window: settings.window,
            pool,
            workspaces: Mutex::default(),
        };
        match &files.router {
            Some(router) => model.with_router(router, files.normalise),
            None => Ok(model),
        }
    }

    fn with_router(mut self, files: &RouterFiles, normalise: bool) -> Result<Self, OpenError> {
        let from = match files.config.input {
            RouterInput::States => self.query.bert.hidden(),
            RouterInput::Views => self.query.tokens.dim(),
        };
        let kernel = self.kernel.exact();
        self.router = Some(Router::load(kernel, files, from)?);
        self.document_lanes = DocumentLanes::load(kernel, files, self.document.bert.hidden())?;
        self.query.load_lanes(self.kernel, files, "query", normalise)?;
        self.document.load_lanes(self.kernel, files, "document", normalise)?;
        Ok(self)
    }

    /// Tells what kind of checkpoint it is.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Names the instructions that it computes with.
    pub fn instructions(&self) -> &'static str {
        self.kernel.name()
    }

    /// Tells whether a router says which token carries the intent; without one, all do alike.
    pub fn has_router(&self) -> bool {
        self.router.is_some()
    }

    /// Tells how long a token view is.
    pub fn dim(&self) -> usize {
        self.document.tokens.dim()
    }

    /// Tells how long a view is that is searched.
    pub fn lane_dim(&self) -> usize {
        self.document.lane().dim()
    }

    /// Counts the tokens that a query and a document may have.
    pub fn lengths(&self) -> (usize, usize) {
        (self.query_side.length, self.document_side.length)
    }

    /// Counts the bytes of the weights as they are held in memory.
    pub fn weight_bytes(&self) -> usize {
        let tied = Arc::ptr_eq(&self.query.bert, &self.document.bert);
        let document = if tied { 0 } else { self.document.bytes() };
        self.query.bytes() + document + self.router.as_ref().map_or(0, Router::bytes)
    }

    /// The last hidden states of a document's tokens, one row for each: what views are made of.
    ///
    /// It is the door for those who compare encoders.
    ///
    /// # Panics
    ///
    /// There are no tokens, more than the encoder has positions, or ids beyond its vocabulary.
    pub fn states(&self, ids: &[u32]) -> TokenMatrix {
        let threads = self.pool.current_num_threads();
        self.states_on(ids, threads)
    }

    /// The states of many documents, side by side on all threads.
    ///
    /// # Panics
    ///
    /// As [`states`](Self::states).
    pub fn states_of_many(&self, documents: &[Vec<u32>]) -> Vec<TokenMatrix> {
        side_by_side(&self.pool, documents, Vec::len, |ids| self.states_on(ids, 1))
    }

    fn states_on(&self, ids: &[u32], threads: usize) -> TokenMatrix {
        let states = self.forward(&self.document, ids, ids.len(), threads);
        TokenMatrix::new(self.document.bert.hidden(), states)
    }

    /// Counts the multiplications and additions in products for each token of a document that is
    /// `length` tokens long.
    pub fn operations(&self, length: usize) -> f64 {
        self.document.bert.operations(length)
    }

    /// Runs a tower on tokens, the first of which are attended.
    fn forward(&self, tower: &Tower, ids: &[u32], attended: usize, threads: usize) -> Vec<f32> {
        let taken = self.workspaces.lock().expect("no thread panics while it holds it").pop();
        let mut workspace = taken.unwrap_or_default();
        let mut run = || tower.bert.states(ids, attended, threads, &mut workspace).to_vec();
        let states = if threads == 1 { run() } else { self.pool.install(run) };
        self.workspaces.lock().expect("no thread panics while it holds it").push(workspace);
        states
    }

    /// Encodes one document on this thread alone.
    pub(crate) fn encode_document(&self, text: &str) -> Result<DocumentViews, EncodeError> {
        let tower = &self.document;
        let Tokens { tokens, attended, kept, cut } = self.tokens(text, &self.document_side)?;
        let attended = attended.iter().filter(|&&attended| attended).count();
        let states = self.forward(tower, &ids(&tokens), attended, 1);
        let hidden = tower.bert.hidden();
        let rows = states.chunks_exact(hidden).zip(&kept).filter(|(_, kept)| **kept);
        let kept_states: Vec<f32> = rows.flat_map(|(row, _)| row).copied().collect();
        let pooled = self.document_lanes.as_ref();
        let pooled = pooled.map(|lanes| lanes.pool(&states[..attended * hidden], hidden));
        let lane_views = match (pooled, &tower.lanes) {
            (Some(pooled), _) => Some(matrix(tower.lane(), &pooled)),
            (None, Some(lanes)) => Some(matrix(lanes, &kept_states)),
            (None, None) => None,
        };
        let tokens = tokens.into_iter().zip(kept).filter_map(|(token, kept)| kept.then_some(token));
        let views = matrix(&tower.tokens, &kept_states);
        Ok(DocumentViews { tokens: tokens.collect(), views, lane_views, cut })
    }

    fn tokens(&self, text: &str, side: &Side) -> Result<Tokens, EncodeError> {
        self.tokeniser.encode(text, side).map_err(|source| EncodeError {
            start: text.chars().take(40).collect(),
            source: Box::new(source),
        })
    }

    pub(crate) fn window(&self) -> NonZero<usize> {
        self.window
    }

    pub(crate) fn pool(&self) -> &ThreadPool {
        &self.pool
    }
}

impl Encoder for Model {
    fn encode_query(&self, text: &str) -> Result<QueryViews, EncodeError> {
        let tower = &self.query;
        let Tokens { tokens, attended, cut, .. } = self.tokens(text, &self.query_side)?;
        let attended = attended.iter().filter(|&&attended| attended).count();
        let threads = self.pool.current_num_threads();
        let states = self.forward(tower, &ids(&tokens), attended, threads);
        let views = matrix(&tower.tokens, &states);
        let alpha = match &self.router {
            None => vec![1.0 / tokens.len() as f32; tokens.len()],
            Some(router) => router.alpha(match router.input {
                RouterInput::States => &states,
                RouterInput::Views => views.values(),
            }),
        };
        let lane_views = tower.lanes.as_ref().map(|lanes| matrix(lanes, &states));
        let soft_lane = tower.lane().views(&mix(&alpha, states.chunks_exact(tower.bert.hidden())));
        Ok(QueryViews { tokens, views, alpha, lane_views, soft_lane, cut })
    }

    fn encode_documents<'a>(
        &'a self,
        texts: Box<dyn Iterator<Item = String> + Send + 'a>,
    ) -> Box<dyn Iterator<Item = Result<DocumentViews, EncodeError>> + 'a> {
        Box::new(Documents::new(self, texts))
    }
}

fn ids(tokens: &[Token]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

fn matrix(projection: &Projection, states: &[f32]) -> TokenMatrix {
    TokenMatrix::new(projection.dim(), projection.views(states))
}
