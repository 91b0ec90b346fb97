//! The memory of a forward pass.

use std::sync::{Mutex, RwLock};

use fastlane_kernels::encoder::{Kernel, PackedRows, Panels};

/// Memory that is reused by one pass after another.
#[derive(Debug)]
pub(super) struct Workspace(pub(super) Vec<Part>);

/// The output of one part of each step, which the next step reads.
#[derive(Debug)]
pub(super) struct Part {
    /// Its bands of the hidden states.
    pub(super) states: RwLock<Vec<f32>>,
    /// Its heads' columns of all rows: the attention context.
    pub(super) context: RwLock<Vec<f32>>,
    /// Its columns of a chunk in the intermediate layer.
    pub(super) inner: RwLock<Vec<f32>>,
    /// Its columns of a chunk of attention output or output.
    pub(super) output: RwLock<Vec<f32>>,
    pub(super) scratch: Mutex<Scratch>,
}

/// The private buffers of a part.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) left: PackedRows,
    /// Queries, keys and values, head by head.
    pub(super) projected: Vec<f32>,
    pub(super) keys: Panels,
    pub(super) values: Panels,
    pub(super) scores: Vec<f32>,
    pub(super) sums: Vec<f32>,
}

impl Workspace {
    /// Allocates memory for this many parts.
    pub(super) fn new(kernel: Kernel, parts: usize) -> Self {
        Self(std::iter::repeat_with(|| Part::new(kernel)).take(parts).collect())
    }

    /// The number of parts that it has memory for.
    pub(super) fn parts(&self) -> usize {
        self.0.len()
    }
}

impl Part {
    fn new(kernel: Kernel) -> Self {
        let scratch = Scratch {
            left: PackedRows::default(),
            projected: Vec::new(),
            keys: Panels::empty(kernel),
            values: Panels::empty(kernel),
            scores: Vec::new(),
            sums: Vec::new(),
        };
        Self {
            states: RwLock::default(),
            context: RwLock::default(),
            inner: RwLock::default(),
            output: RwLock::default(),
            scratch: Mutex::new(scratch),
        }
    }
}
