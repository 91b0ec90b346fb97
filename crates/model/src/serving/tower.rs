//! One tower: an encoder, and the projections of its states into views.

use std::sync::Arc;

use crate::checkpoint::{CheckpointError, RouterFiles, TowerFiles};
use crate::encoders::bert::Bert;
use crate::heads::projection::Projection;
use fastlane_kernels::encoder::Kernel;

#[derive(Debug)]
pub(crate) struct Tower {
    /// The encoder, which tied towers share.
    pub(crate) bert: Arc<Bert>,
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
        let read = |name: &str, shape: &[usize]| files.read(name, shape);
        let bert = Bert::load(files.architecture.clone(), kernel, read)?;
        let tokens = Projection::load(kernel, &files.dense, bert.hidden(), normalise)?;
        Ok(Self { bert: Arc::new(bert), tokens: Arc::new(tokens), lanes: None })
    }

    /// The same encoder and projection for the other side.
    pub(crate) fn tie(&self) -> Self {
        Self { bert: Arc::clone(&self.bert), tokens: Arc::clone(&self.tokens), lanes: None }
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
            let shape = [dim, self.bert.hidden()];
            let weights = files.weights.read(&format!("lane_{side}.weight"), &shape)?;
            self.lanes = Some(Projection::of(kernel, &weights, dim, normalise));
        }
        Ok(())
    }

    /// The projection of the searched views.
    pub(crate) fn lane(&self) -> &Projection {
        self.lanes.as_ref().unwrap_or(&self.tokens)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bert.bytes() + self.tokens.bytes() + self.lanes.as_ref().map_or(0, Projection::bytes)
    }
}
