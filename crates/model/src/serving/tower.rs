//! One tower: an encoder, and the projections of its states into views.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::checkpoint::{CheckpointError, RouterFiles, TowerFiles};
use crate::encoders::architecture::Transformer;
use crate::heads::projection::Projection;
use fastlane_kernels::encoder::Kernel;

#[derive(Debug)]
pub(crate) struct Tower {
    /// The encoder, which tied towers share.
    pub(crate) encoder: Arc<dyn Transformer>,
    /// States to token views.
    pub(crate) tokens: Arc<Projection>,
    /// States to lane views, if these have a separate projection.
    pub(crate) lanes: Option<Projection>,
}

impl Tower {
    /// Reads an encoder and its projection.
    pub(crate) fn load(
        kernel: Kernel,
        files: &TowerFiles,
        normalise: bool,
    ) -> Result<Self, CheckpointError> {
        let mut read = |name: &str, shape: &[usize]| files.read(name, shape);
        let encoder = files.architecture.load(kernel, &mut read)?;
        let tokens = Projection::load(kernel, &files.dense, encoder.hidden(), normalise)?;
        Ok(Self { encoder, tokens: Arc::new(tokens), lanes: None })
    }

    /// The same encoder and projection for the other side.
    pub(crate) fn tie(&self) -> Self {
        Self { encoder: Arc::clone(&self.encoder), tokens: Arc::clone(&self.tokens), lanes: None }
    }

    /// Reads the lane projection, which the router's files name by side.
    pub(crate) fn load_lanes(
        &mut self,
        kernel: Kernel,
        files: &RouterFiles,
        side: &str,
        normalise: bool,
    ) -> Result<(), CheckpointError> {
        if let Some(dim) = files.config.lane_dim {
            let shape = [dim, self.encoder.hidden()];
            let weights = files.weights.read(&format!("lane_{side}.weight"), &shape)?;
            self.lanes = Some(Projection::of(kernel, &weights, dim, normalise));
        }
        Ok(())
    }

    /// The last hidden states of tokens, which attend to the first `attended` ones, with an
    /// optional pool.
    pub(crate) fn states(
        &self,
        ids: &[u32],
        attended: usize,
        pool: Option<&ThreadPool>,
    ) -> Vec<f32> {
        Arc::clone(&self.encoder).states(ids, attended, pool)
    }

    /// The projection of the searched views.
    pub(crate) fn lane(&self) -> &Projection {
        self.lanes.as_ref().unwrap_or(&self.tokens)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.encoder.bytes()
            + self.tokens.bytes()
            + self.lanes.as_ref().map_or(0, Projection::bytes)
    }
}
