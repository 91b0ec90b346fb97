//! BERT, and the layers of all architectures that follow it.
//!
//! The weights are packed once, for one kernel. Texts are computed one at a time, without padding;
//! `bert/pass.rs` has the forward pass.

mod config;
mod family;
mod pass;
mod tensors;
mod workspace;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use rayon::ThreadPool;

pub(super) use self::config::read;
pub(super) use self::family::Keys;
pub use self::family::{BertFamily, Names};
use self::pass::Pass;
use self::workspace::Workspace;
use super::Entry;
use super::architecture::{Architecture, Definition, Family, Read, Transformer};
use super::expected_tensors::ExpectedTensor;
use crate::error::CheckpointError;
use crate::fingerprint::Value;
use fastlane_kernels::encoder::{Kernel, Norm, Panels, Slot, WeightArena, share};

/// `HF_ColBERT` is the class of Stanford's ColBERT.
pub(super) const BERT: Entry = Entry {
    name: BertFamily::BERT.name,
    classes: &[BertFamily::BERT.class, "HF_ColBERT"],
    read: |config| read(BertFamily::BERT, config),
};

/// More parts mostly repeat the rounding of the same rows: cut in 12 parts, a query takes one
/// thread 1.7 times as long, cut in 4 it takes 1.2 times.
const MOST_PARTS: usize = 4;

/// An encoder with packed weights.
#[derive(Debug)]
struct Bert {
    family: BertFamily,
    architecture: Architecture,
    kernel: Kernel,
    words: Vec<f32>,
    /// Position embeddings, with the embedding of the only token type added.
    positions: Vec<f32>,
    norm: Norm,
    blocks: Vec<Block>,
    /// Memory of earlier passes. A pass that panics does not return its own.
    workspaces: Mutex<Vec<Arc<Workspace>>>,
}

/// Products and norms in the order of the forward pass.
#[derive(Debug)]
struct Block<P = Panels> {
    /// Queries, keys and values of each head, interleaved head by head.
    project: P,
    attention_output: P,
    attention_norm: Norm,
    intermediate: P,
    output: P,
    output_norm: Norm,
}

impl From<BertFamily> for Family {
    fn from(family: BertFamily) -> Self {
        Self::new(family)
    }
}

impl Definition for BertFamily {
    fn name(&self) -> &'static str {
        self.name
    }

    fn settings(&self) -> Vec<(&'static str, Value<'static>)> {
        let padding = self.padding.map(|padding| ("padding", Value::Number(padding.into())));
        padding.into_iter().collect()
    }

    fn prefix(&self) -> &'static str {
        self.prefix
    }

    fn layer(&self, index: usize) -> String {
        self.layer(index)
    }

    fn layers_key(&self) -> &'static str {
        self.keys.layers
    }

    fn tensors(&self, architecture: &Architecture) -> Vec<ExpectedTensor> {
        tensors::expected(self, architecture)
    }

    fn config(&self, architecture: &Architecture) -> serde_json::Value {
        config::write(self, architecture)
    }

    fn load(
        &self,
        architecture: &Architecture,
        kernel: Kernel,
        read: &mut Read<'_>,
    ) -> Result<Arc<dyn Transformer>, CheckpointError> {
        Ok(Arc::new(Bert::load(*self, architecture, kernel, read)?))
    }
}

impl Bert {
    fn load(
        family: BertFamily,
        architecture: &Architecture,
        kernel: Kernel,
        read: &mut Read<'_>,
    ) -> Result<Self, CheckpointError> {
        let Architecture { hidden, vocabulary, token_types, epsilon, .. } = *architecture;
        let rows = family.first_position() + architecture.positions;
        let words = read("embeddings.word_embeddings.weight", &[vocabulary, hidden])?;
        let mut positions = read("embeddings.position_embeddings.weight", &[rows, hidden])?;
        if token_types > 0 {
            let name = "embeddings.token_type_embeddings.weight";
            let kinds = read(name, &[token_types, hidden])?;
            let cells = positions.iter_mut().zip(kinds[..hidden].iter().cycle());
            cells.for_each(|(position, kind)| *position += kind);
        }
        let norm = load_norm("embeddings.LayerNorm", hidden, epsilon, read)?;
        let shapes = Block::shapes(architecture);
        let mut stack = WeightArena::new(kernel, (0..architecture.layers).flat_map(|_| shapes));
        let blocks = (0..architecture.layers)
            .map(|layer| Block::load((family, architecture), layer, &mut stack, read))
            .collect::<Result<Vec<_>, _>>()?;
        let panels = stack.finish();
        let blocks = blocks.into_iter().map(|block| block.with(&panels)).collect();
        let (architecture, workspaces) = (architecture.clone(), Mutex::default());
        Ok(Self { family, architecture, kernel, words, positions, norm, blocks, workspaces })
    }

    /// Memory for a pass in this many parts.
    fn workspace(&self, parts: usize) -> Arc<Workspace> {
        let earlier = self.workspaces.lock().expect("no thread panics while it holds it").pop();
        let earlier = earlier.filter(|workspace| workspace.parts() >= parts);
        earlier.unwrap_or_else(|| Arc::new(Workspace::new(self.kernel, parts)))
    }

    /// The largest number of parts of a step: each has a head, and columns of each product.
    fn most_parts(&self) -> usize {
        // pairs of bf16 must not be split
        let heads = if self.head_width().is_multiple_of(2) { self.architecture.heads } else { 1 };
        let panels = |block: &Block| block.attention_output.count().min(block.intermediate.count());
        self.blocks.iter().map(panels).fold(heads.min(MOST_PARTS), usize::min)
    }

    fn head_width(&self) -> usize {
        self.architecture.hidden / self.architecture.heads
    }
}

impl Transformer for Bert {
    fn hidden(&self) -> usize {
        self.architecture.hidden
    }

    fn operations(&self, length: usize) -> f64 {
        let Architecture { layers, hidden, intermediate, .. } = self.architecture;
        (2 * layers * hidden * (4 * hidden + 2 * intermediate + 2 * length)) as f64
    }

    fn bytes(&self) -> usize {
        let tables = self.words.len() + self.positions.len();
        tables * size_of::<f32>() + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }

    fn states(
        self: Arc<Self>,
        ids: &[u32],
        attended: usize,
        pool: Option<&ThreadPool>,
    ) -> Vec<f32> {
        let parts = pool.map_or(1, |pool| pool.current_num_threads().min(self.most_parts()));
        let workspace = self.workspace(parts);
        let bert = Arc::clone(&self);
        let pass = Arc::new(Pass::new(bert, (ids, attended), parts, Arc::clone(&workspace)));
        for (_, pool) in (1..parts).zip(pool.into_iter().cycle()) {
            let pass = Arc::clone(&pass);
            // a panic in a pool would end the program; this thread panics instead
            pool.spawn(move || drop(catch_unwind(AssertUnwindSafe(|| pass.run()))));
        }
        pass.run();
        let states = pass.states();
        let mut workspaces = self.workspaces.lock().expect("no thread panics while it holds it");
        workspaces.push(workspace);
        states
    }
}

impl Block<Slot> {
    /// Columns and depth of the products.
    fn shapes(&Architecture { hidden, intermediate, .. }: &Architecture) -> [(usize, usize); 4] {
        [(3 * hidden, hidden), (hidden, hidden), (intermediate, hidden), (hidden, intermediate)]
    }

    fn load(
        (family, architecture): (BertFamily, &Architecture),
        layer: usize,
        stack: &mut WeightArena,
        read: &mut Read<'_>,
    ) -> Result<Self, CheckpointError> {
        let Architecture { hidden, heads, intermediate: inner, epsilon, .. } = *architecture;
        let (start, names) = (family.layer(layer), family.names);
        let mut linear = |part: &str, columns, depth| {
            let name = format!("{start}{part}");
            let weight = read(&format!("{name}.weight"), &[columns, depth])?;
            let bias = read(&format!("{name}.bias"), &[columns])?;
            Ok((weight, bias))
        };
        let mut parts = Vec::new();
        for part in names.project {
            parts.push(linear(part, hidden, hidden)?);
        }
        let (weights, bias) = head_by_head(&parts, heads);
        let project = stack.push(&weights, &bias);
        let mut pack = |part, columns, depth| {
            let (weight, bias) = linear(part, columns, depth)?;
            Ok(stack.push(&weight, &bias))
        };
        let attention_output = pack(names.attention_output, hidden, hidden)?;
        let intermediate = pack(names.intermediate, inner, hidden)?;
        let output = pack(names.output, hidden, inner)?;
        let mut norm = |part| load_norm(&format!("{start}{part}"), hidden, epsilon, read);
        let (attention_norm, output_norm) = (norm(names.attention_norm)?, norm(names.output_norm)?);
        Ok(Self { project, attention_output, attention_norm, intermediate, output, output_norm })
    }

    fn with(self, panels: &impl Fn(Slot) -> Panels) -> Block {
        Block {
            project: panels(self.project),
            attention_output: panels(self.attention_output),
            attention_norm: self.attention_norm,
            intermediate: panels(self.intermediate),
            output: panels(self.output),
            output_norm: self.output_norm,
        }
    }
}

impl Block {
    fn bytes(&self) -> usize {
        [&self.project, &self.attention_output, &self.intermediate, &self.output]
            .map(Panels::bytes)
            .iter()
            .sum()
    }
}

/// Reorders the rows of weights and biases, so that those of a head are adjacent.
fn head_by_head(parts: &[(Vec<f32>, Vec<f32>)], heads: usize) -> (Vec<f32>, Vec<f32>) {
    let of_a_head = |all: &[f32], head: usize| all[share(all.len(), heads, head)].to_vec();
    let parts = || (0..heads).flat_map(|head| parts.iter().map(move |part| (head, part)));
    let weights = parts().flat_map(|(head, (weights, _))| of_a_head(weights, head)).collect();
    (weights, parts().flat_map(|(head, (_, bias))| of_a_head(bias, head)).collect())
}

fn load_norm(
    name: &str,
    hidden: usize,
    epsilon: f32,
    read: &mut Read<'_>,
) -> Result<Norm, CheckpointError> {
    let scale = read(&format!("{name}.weight"), &[hidden])?;
    let shift = read(&format!("{name}.bias"), &[hidden])?;
    Ok(Norm { scale, shift, epsilon })
}
