//! BERT and DistilBERT: token ids in, one hidden state per token out.
//!
//! The weights are packed once, for one kernel. Texts are computed one at a time, without padding;
//! `bert/pass.rs` has the forward pass.

mod pass;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::ThreadPool;

use self::pass::Pass;
pub(crate) use self::pass::Workspace;
use crate::architecture::Architecture;
use fastlane_kernels::encoder::{Kernel, Norm, Panels, Slot, WeightArena, share};

/// More parts mostly repeat the rounding of the same rows: cut in 12 parts, a query takes one
/// thread 1.7 times as long, cut in 4 it takes 1.2 times.
const MOST_PARTS: usize = 4;

/// An encoder with packed weights.
#[derive(Debug)]
pub(crate) struct Bert {
    architecture: Architecture,
    kernel: Kernel,
    words: Vec<f32>,
    /// Position embeddings, with the embedding of the only token type added.
    positions: Vec<f32>,
    norm: Norm,
    blocks: Vec<Block>,
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

impl Bert {
    /// Packs weights for a kernel; `read` returns the tensor of a name and a shape.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub(crate) fn load<E>(
        architecture: Architecture,
        kernel: Kernel,
        mut read: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let Architecture { hidden, vocabulary, positions, token_types, epsilon, .. } = architecture;
        let words = read("embeddings.word_embeddings.weight", &[vocabulary, hidden])?;
        let mut position = read("embeddings.position_embeddings.weight", &[positions, hidden])?;
        if token_types > 0 {
            let name = "embeddings.token_type_embeddings.weight";
            let kinds = read(name, &[token_types, hidden])?;
            let cells = position.iter_mut().zip(kinds[..hidden].iter().cycle());
            cells.for_each(|(position, kind)| *position += kind);
        }
        let norm = load_norm("embeddings.LayerNorm", hidden, epsilon, &mut read)?;
        let shapes = Block::shapes(&architecture);
        let mut stack = WeightArena::new(kernel, (0..architecture.layers).flat_map(|_| shapes));
        let blocks = (0..architecture.layers)
            .map(|layer| Block::load(&architecture, layer, &mut stack, &mut read))
            .collect::<Result<Vec<_>, E>>()?;
        let panels = stack.finish();
        let blocks = blocks.into_iter().map(|block| block.with(&panels)).collect();
        Ok(Self { architecture, kernel, words, positions: position, norm, blocks })
    }

    /// The length of a hidden state.
    pub(crate) fn hidden(&self) -> usize {
        self.architecture.hidden
    }

    /// The multiplications and additions in products per token, for a text of `length` tokens.
    pub(crate) fn operations(&self, length: usize) -> f64 {
        let Architecture { layers, hidden, intermediate, .. } = self.architecture;
        (2 * layers * hidden * (4 * hidden + 2 * intermediate + 2 * length)) as f64
    }

    /// The size of the weights in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let tables = self.words.len() + self.positions.len();
        tables * size_of::<f32>() + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }

    /// Computes the last hidden state of each token, row by row.
    ///
    /// Every token attends to the first `attended` tokens. If a pool is given, its threads help.
    ///
    /// # Panics
    ///
    /// There are no tokens, too many, or ids beyond the vocabulary; or none are attended.
    pub(crate) fn states(
        self: &Arc<Self>,
        tokens: (&[u32], usize),
        pool: Option<&ThreadPool>,
        workspace: &mut Option<Arc<Workspace>>,
    ) -> Vec<f32> {
        let parts = pool.map_or(1, |pool| pool.current_num_threads().min(self.most_parts()));
        let workspace = match workspace {
            Some(workspace) if workspace.parts() >= parts => workspace,
            _ => workspace.insert(Arc::new(Workspace::new(self.kernel, parts))),
        };
        let pass = Arc::new(Pass::new(Arc::clone(self), tokens, parts, Arc::clone(workspace)));
        for (_, pool) in (1..parts).zip(pool.into_iter().cycle()) {
            let pass = Arc::clone(&pass);
            // a panic in a pool would end the program; this thread panics instead
            pool.spawn(move || drop(catch_unwind(AssertUnwindSafe(|| pass.run()))));
        }
        pass.run();
        pass.states()
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

impl Block<Slot> {
    /// Columns and depth of the products.
    fn shapes(&Architecture { hidden, intermediate, .. }: &Architecture) -> [(usize, usize); 4] {
        [(3 * hidden, hidden), (hidden, hidden), (intermediate, hidden), (hidden, intermediate)]
    }

    fn load<E>(
        architecture: &Architecture,
        layer: usize,
        stack: &mut WeightArena,
        read: &mut impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let Architecture { family, hidden, heads, intermediate: inner, epsilon, .. } =
            *architecture;
        let names = family.names();
        let start = family.layer(layer);
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

fn load_norm<E>(
    name: &str,
    hidden: usize,
    epsilon: f32,
    read: &mut impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
) -> Result<Norm, E> {
    let scale = read(&format!("{name}.weight"), &[hidden])?;
    let shift = read(&format!("{name}.bias"), &[hidden])?;
    Ok(Norm { scale, shift, epsilon })
}
