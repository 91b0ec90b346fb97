//! The forward pass of BERT and DistilBERT: token ids in, one state per token out.
//!
//! The weights are packed once, for one kernel. One text is computed at a time, without padding.
//! Its tokens are cut into *chunks* of rows; a chunk goes through a block alone, but for the
//! attention, where it reads the keys and values of all. Chunks may run in parallel, and since a
//! product gives each row the same bits in any company, how they are cut changes no result.

use rayon::prelude::*;

use crate::architecture::{Activation, Architecture};
use crate::kernels::{Kernel, Left, Norm, Output, Panels, Rows};

/// More rows than this in a chunk only press each other out of the cache.
const MOST_ROWS: usize = 128;
/// Fewer rows than this are not worth another thread.
const FEWEST_ROWS: usize = 8;

/// An encoder with its weights.
#[derive(Debug)]
pub(crate) struct Bert {
    architecture: Architecture,
    kernel: Kernel,
    words: Vec<f32>,
    /// Those of positions, and of the one kind of segment that there is.
    positions: Vec<f32>,
    norm: Norm,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    /// Queries, keys and values, side by side.
    project: Panels,
    gather: Panels,
    gather_norm: Norm,
    widen: Panels,
    narrow: Panels,
    narrow_norm: Norm,
}

/// Memory that one forward pass after another uses.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    states: Vec<f32>,
    projected: Vec<f32>,
    heads: Vec<(Panels, Panels)>,
    chunks: Vec<Scratch>,
}

/// The part of a workspace that belongs to one chunk.
#[derive(Debug, Default)]
struct Scratch {
    left: Left,
    scores: Vec<f32>,
    sums: Vec<f32>,
    context: Vec<f32>,
    inner: Vec<f32>,
    output: Vec<f32>,
}

impl Bert {
    /// Packs weights for a kernel, as `read` gives them for a name and a shape.
    ///
    /// # Errors
    ///
    /// What `read` fails with.
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
        let blocks = (0..architecture.layers)
            .map(|layer| Block::load(&architecture, layer, kernel, &mut read))
            .collect::<Result<_, E>>()?;
        Ok(Self { architecture, kernel, words, positions: position, norm, blocks })
    }

    /// Tells how long a state is.
    pub(crate) fn hidden(&self) -> usize {
        self.architecture.hidden
    }

    /// Counts the multiplications and additions in products, for each of `length` tokens.
    pub(crate) fn operations(&self, length: usize) -> f64 {
        let Architecture { layers, hidden, intermediate, .. } = self.architecture;
        (2 * layers * hidden * (4 * hidden + 2 * intermediate + 2 * length)) as f64
    }

    /// Counts the bytes of the weights as they are held.
    pub(crate) fn bytes(&self) -> usize {
        let tables = self.words.len() + self.positions.len();
        tables * size_of::<f32>() + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }

    /// Computes the last hidden state of each token, row after row.
    ///
    /// Every token sees the first `attended` tokens; chunks run on this many threads.
    ///
    /// # Panics
    ///
    /// There are no tokens, too many, or ids beyond the vocabulary; none are attended.
    pub(crate) fn states<'a>(
        &self,
        ids: &[u32],
        attended: usize,
        threads: usize,
        workspace: &'a mut Workspace,
    ) -> &'a [f32] {
        let Architecture { hidden, heads, .. } = self.architecture;
        let rows = ids.len().div_ceil(threads).clamp(FEWEST_ROWS, MOST_ROWS);
        let rows = ids.len().div_ceil(ids.len().div_ceil(rows));
        workspace.resize(self, ids.len(), rows);
        let Workspace { states, projected, heads: packed, chunks } = workspace;
        self.embed(ids, states);
        for block in &self.blocks {
            let parts = states.chunks(rows * hidden).zip(projected.chunks_mut(rows * hidden * 3));
            each(threads, parts.zip(&mut *chunks), |((states, projected), scratch)| {
                multiply(&block.project, states, hidden, &mut scratch.left, projected);
            });
            each(threads, packed.iter_mut().enumerate(), |(head, (keys, values))| {
                let part = |which| self.head(projected, which * heads + head, attended);
                keys.fill_transposed(part(1));
                values.fill(part(2));
            });
            let parts = states.chunks_mut(rows * hidden).zip(projected.chunks(rows * hidden * 3));
            each(threads, parts.zip(&mut *chunks), |((states, queries), scratch)| {
                self.attend(queries, packed, scratch);
                self.feed(block, states, scratch);
            });
        }
        states
    }

    fn embed(&self, ids: &[u32], states: &mut [f32]) {
        let hidden = self.architecture.hidden;
        let rows = states.chunks_exact_mut(hidden).zip(self.positions.chunks_exact(hidden));
        for ((row, position), &id) in rows.zip(ids) {
            row.copy_from_slice(&self.words[id as usize * hidden..][..hidden]);
            self.kernel.layer_norm(row, position, &self.norm);
        }
    }

    /// The part of the projections of the first `count` tokens that belongs to a head.
    fn head<'a>(&self, projected: &'a [f32], part: usize, count: usize) -> Rows<'a> {
        let Architecture { hidden, heads, .. } = self.architecture;
        let width = hidden / heads;
        Rows { values: &projected[part * width..], stride: 3 * hidden, count, width }
    }

    /// Gathers for each row of a chunk the values of all tokens, by how their keys fit its query.
    fn attend(&self, queries: &[f32], packed: &[(Panels, Panels)], scratch: &mut Scratch) {
        let Architecture { hidden, heads, .. } = self.architecture;
        let Scratch { left, scores, sums, context, .. } = scratch;
        let width = hidden / heads;
        let scale = 1.0 / (width as f32).sqrt();
        let count = queries.len() / (3 * hidden);
        for (head, (keys, values)) in packed.iter().enumerate() {
            let seen = keys.columns();
            let scores = &mut scores[..count * seen];
            let rows = self.head(queries, head, count);
            keys.multiply(rows, left, &mut Output::all(scores, seen));
            let softmax = |row: &mut [f32]| self.kernel.softmax(row, scale);
            sums.clear();
            sums.extend(scores.chunks_exact_mut(seen).map(softmax));
            let part = &mut context[head * width..];
            let mut output = Output { values: part, stride: hidden };
            values.multiply(Rows::all(scores, seen), left, &mut output);
            for (row, sum) in part.chunks_mut(hidden).zip(sums.iter()) {
                row[..width].iter_mut().for_each(|value| *value /= sum);
            }
        }
    }

    /// Takes what was gathered into the states, and lets each state think by itself.
    fn feed(&self, block: &Block, states: &mut [f32], scratch: &mut Scratch) {
        let Architecture { hidden, intermediate, .. } = self.architecture;
        let Scratch { left, context, inner, output, .. } = scratch;
        let count = states.len() / hidden;
        let (context, output) = (&context[..states.len()], &mut output[..states.len()]);
        let inner = &mut inner[..count * intermediate];
        multiply(&block.gather, context, hidden, left, output);
        self.add(states, output, &block.gather_norm);
        multiply(&block.widen, states, hidden, left, inner);
        match self.architecture.activation {
            Activation::Gelu => self.kernel.gelu(inner),
            Activation::GeluTanh => self.kernel.gelu_tanh(inner),
            Activation::Relu => inner.iter_mut().for_each(|value| *value = value.max(0.0)),
        }
        multiply(&block.narrow, inner, intermediate, left, output);
        self.add(states, output, &block.narrow_norm);
    }

    fn add(&self, states: &mut [f32], added: &[f32], norm: &Norm) {
        let hidden = self.architecture.hidden;
        for (state, added) in states.chunks_exact_mut(hidden).zip(added.chunks_exact(hidden)) {
            self.kernel.layer_norm(state, added, norm);
        }
    }
}

impl Block {
    fn load<E>(
        architecture: &Architecture,
        layer: usize,
        kernel: Kernel,
        read: &mut impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let Architecture { family, hidden, intermediate, epsilon, .. } = *architecture;
        let names = family.names();
        let start = family.layer(layer);
        let mut linear = |part: &str, columns, depth| {
            let name = format!("{start}{part}");
            let weight = read(&format!("{name}.weight"), &[columns, depth])?;
            let bias = read(&format!("{name}.bias"), &[columns])?;
            Ok((weight, bias))
        };
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for part in names.project {
            let (weight, bias) = linear(part, hidden, hidden)?;
            weights.extend(weight);
            biases.extend(bias);
        }
        let mut pack = |part, columns, depth| {
            let (weight, bias) = linear(part, columns, depth)?;
            Ok(Panels::of_weights(kernel, &weight, &bias))
        };
        let gather = pack(names.gather, hidden, hidden)?;
        let widen = pack(names.widen, intermediate, hidden)?;
        let narrow = pack(names.narrow, hidden, intermediate)?;
        let mut norm = |part| load_norm(&format!("{start}{part}"), hidden, epsilon, read);
        Ok(Self {
            project: Panels::of_weights(kernel, &weights, &biases),
            gather,
            gather_norm: norm(names.gather_norm)?,
            widen,
            narrow,
            narrow_norm: norm(names.narrow_norm)?,
        })
    }

    fn bytes(&self) -> usize {
        [&self.project, &self.gather, &self.widen, &self.narrow].map(Panels::bytes).iter().sum()
    }
}

impl Workspace {
    fn resize(&mut self, bert: &Bert, count: usize, rows: usize) {
        let Architecture { hidden, heads, intermediate, .. } = bert.architecture;
        self.states.resize(count * hidden, 0.0);
        self.projected.resize(count * hidden * 3, 0.0);
        let empty = || (Panels::empty(bert.kernel), Panels::empty(bert.kernel));
        self.heads.resize_with(heads, empty);
        self.chunks.resize_with(count.div_ceil(rows), Scratch::default);
        for chunk in &mut self.chunks {
            chunk.scores.resize(rows * count, 0.0);
            chunk.context.resize(rows * hidden, 0.0);
            chunk.inner.resize(rows * intermediate, 0.0);
            chunk.output.resize(rows * hidden, 0.0);
        }
    }
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

fn multiply(panels: &Panels, rows: &[f32], width: usize, left: &mut Left, output: &mut [f32]) {
    panels.multiply(Rows::all(rows, width), left, &mut Output::all(output, panels.columns()));
}

fn each<T: Send>(threads: usize, items: impl Iterator<Item = T>, work: impl Fn(T) + Send + Sync) {
    if threads == 1 {
        items.for_each(work);
    } else {
        items.collect::<Vec<_>>().into_par_iter().for_each(work);
    }
}

#[cfg(test)]
mod tests;
