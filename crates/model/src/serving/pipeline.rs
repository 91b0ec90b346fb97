//! The encoding pipeline: text to views on this thread, or with help of a thread pool.
//!
//! A query: text → tokens → query tower → states → views → router → alpha, and the soft lane. A
//! document: text → tokens → document tower → states → views, and lane views if it has them.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastlane_engine::{DocumentViews, EncodeError, QueryViews, Token, TokenMatrix, UsualLane};
use rayon::ThreadPool;

use crate::checkpoint::{Checkpoint, CheckpointError, LaneKind, Layout, RouterFiles, RouterInput};
use crate::error::NotFinite;
use crate::fingerprint::Fingerprint;
use crate::heads::document_lanes::DocumentLanes;
use crate::heads::projection::{Projection, mix};
use crate::heads::router::Router;
use crate::serving::tower::Tower;
use crate::tokenise::{InputSettings, Tokeniser, Tokens};
use fastlane_kernels::encoder::Kernel;

/// Both towers, their text settings, and the router.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) layout: Layout,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) kernel: Kernel,
    tokeniser: Tokeniser,
    pub(crate) query_side: InputSettings,
    pub(crate) document_side: InputSettings,
    query: Tower,
    pub(crate) document: Tower,
    pub(crate) router: Option<Router>,
    usual: UsualLane,
    document_lanes: Option<DocumentLanes>,
}

impl Pipeline {
    /// Packs the weights for a kernel.
    pub(crate) fn load(kernel: Kernel, files: Checkpoint) -> Result<Self, CheckpointError> {
        let query = Tower::load(kernel, &files.query, files.normalise)?;
        let document = match &files.document {
            Some(document) => Tower::load(kernel, document, files.normalise)?,
            None => query.tie(),
        };
        let pipeline = Self {
            layout: files.layout,
            // the tensors were hashed above, when they were read
            fingerprint: files.fingerprint()?,
            kernel,
            tokeniser: files.tokeniser,
            query_side: files.query_side,
            document_side: files.document_side,
            query,
            document,
            router: None,
            usual: UsualLane::All,
            document_lanes: None,
        };
        match &files.router {
            Some(router) => pipeline.with_router(router, files.normalise),
            None => Ok(pipeline),
        }
    }

    fn with_router(
        mut self,
        files: &RouterFiles,
        normalise: bool,
    ) -> Result<Self, CheckpointError> {
        let from = match files.config.input {
            RouterInput::States => self.query.encoder.hidden(),
            RouterInput::Views => self.query.tokens.dim(),
        };
        let kernel = self.kernel.exact();
        self.router = Some(Router::load(kernel, files, from)?);
        self.usual = match files.config.lane {
            LaneKind::Hard => UsualLane::Best(files.config.lanes.unwrap_or(1)),
            LaneKind::Soft => UsualLane::Soft,
        };
        self.document_lanes = DocumentLanes::load(kernel, files, self.document.encoder.hidden())?;
        self.query.load_lanes(self.kernel, files, "query", normalise)?;
        self.document.load_lanes(self.kernel, files, "document", normalise)?;
        Ok(self)
    }

    /// Returns whether documents are searched by separate lane views.
    pub(crate) fn has_lane_views(&self) -> bool {
        self.document_lanes.is_some() || self.document.lanes.is_some()
    }

    /// The size of the weights in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let tied = Arc::ptr_eq(&self.query.encoder, &self.document.encoder);
        let document = if tied { 0 } else { self.document.bytes() };
        self.query.bytes() + document + self.router.as_ref().map_or(0, Router::bytes)
    }

    /// The last hidden states of a document's tokens.
    pub(crate) fn states(&self, ids: &[u32], pool: Option<&ThreadPool>) -> TokenMatrix {
        let states = self.document.states(ids, ids.len(), pool);
        TokenMatrix::new(self.document.encoder.hidden(), states)
    }

    /// Encodes a query, with an optional pool, and returns how long the router took.
    pub(crate) fn encode_query(
        &self,
        text: &str,
        pool: Option<&ThreadPool>,
    ) -> Result<(QueryViews, Duration), EncodeError> {
        let tower = &self.query;
        let Tokens { tokens, attended, cut, .. } = self.tokens(text, &self.query_side)?;
        let attended = attended.iter().filter(|&&attended| attended).count();
        let states = tower.states(&ids(&tokens), attended, pool);
        let views = matrix(&tower.tokens, &states);
        check(text, "a view", views.values())?;
        let began = Instant::now();
        let alpha = match &self.router {
            None => vec![1.0 / tokens.len() as f32; tokens.len()],
            Some(router) => router.alpha(match router.input {
                RouterInput::States => &states,
                RouterInput::Views => views.values(),
            }),
        };
        let routed = began.elapsed();
        check(text, "alpha", &alpha)?;
        let lane_views = tower.lanes.as_ref().map(|lanes| matrix(lanes, &states));
        check(text, "a lane view", lane_views.as_ref().map_or(&[], TokenMatrix::values))?;
        let soft_lane =
            tower.lane().views(&mix(&alpha, states.chunks_exact(tower.encoder.hidden())));
        check(text, "the soft lane", &soft_lane)?;
        let usual = self.usual;
        Ok((QueryViews { tokens, views, alpha, lane_views, soft_lane, usual, cut }, routed))
    }

    /// The tokens of a document's text that are read.
    pub(crate) fn document_limit(&self) -> usize {
        let side = &self.document_side;
        let added = self.tokeniser.special_tokens() + usize::from(side.prefix.is_some());
        let prompt = self.tokeniser.count(&side.prompt);
        side.length.saturating_sub(added + prompt)
    }

    /// The number of tokens of a text, without those that are added.
    pub(crate) fn count_tokens(&self, text: &str) -> usize {
        self.tokeniser.count(text)
    }

    /// The tokens of a document that have views.
    pub(crate) fn document_tokens(&self, text: &str) -> Result<Vec<Token>, EncodeError> {
        let Tokens { tokens, kept, .. } = self.tokens(text, &self.document_side)?;
        Ok(tokens.into_iter().zip(kept).filter_map(|(token, kept)| kept.then_some(token)).collect())
    }

    /// Encodes one document on this thread.
    pub(crate) fn encode_document(&self, text: &str) -> Result<DocumentViews, EncodeError> {
        let tower = &self.document;
        let Tokens { tokens, attended, kept, cut } = self.tokens(text, &self.document_side)?;
        let attended = attended.iter().filter(|&&attended| attended).count();
        let states = tower.states(&ids(&tokens), attended, None);
        let hidden = tower.encoder.hidden();
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
        check(text, "a view", views.values())?;
        check(text, "a lane view", lane_views.as_ref().map_or(&[], TokenMatrix::values))?;
        Ok(DocumentViews { tokens: tokens.collect(), views, lane_views, cut })
    }

    fn tokens(&self, text: &str, side: &InputSettings) -> Result<Tokens, EncodeError> {
        self.tokeniser.encode(text, side).map_err(|error| cannot_encode(text, error))
    }
}

fn ids(tokens: &[Token]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

fn matrix(projection: &Projection, states: &[f32]) -> TokenMatrix {
    TokenMatrix::new(projection.dim(), projection.views(states))
}

/// Checks that all values of a result are finite.
fn check(text: &str, what: &'static str, values: &[f32]) -> Result<(), EncodeError> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(&value) => Err(cannot_encode(text, NotFinite { what, value })),
    }
}

fn cannot_encode(text: &str, source: impl Error + Send + Sync + 'static) -> EncodeError {
    EncodeError { start: text.chars().take(40).collect(), source: Box::new(source) }
}
