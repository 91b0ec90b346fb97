//! The forward pass of one text, by one thread or by several that share each step.
//!
//! A text alone has few rows. If threads shared the rows, every thread would read all weights, and
//! that takes as long as computing. So threads share the columns: each computes some heads, or some
//! columns of a product, for all rows, and reads only the weights of these. The layer norms, which
//! need whole rows, are shared by rows.
//!
//! A text is cut into *chunks* of rows, processed one after the other so that they fit the cache,
//! and a chunk into *bands* of rows, one for each part. A product gives the same bits for each row
//! and column whatever is computed with them, so no split changes a result.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::workspace::{Part, Scratch, Workspace};
use super::{Bert, Block};
use crate::encoders::architecture::{Activation, Transformer as _};
use crate::serving::phases::Phases;
use fastlane_kernels::encoder::{Norm, Output, Panels, RowBlock, Rows, share};

/// A chunk of more rows than this does not fit the cache.
const MOST_ROWS: usize = 128;

type Read<'a> = RwLockReadGuard<'a, Vec<f32>>;

/// The forward pass of a text, and the threads that compute it.
#[derive(Debug)]
pub(super) struct Pass {
    bert: Arc<Bert>,
    ids: Vec<u32>,
    /// The row of each token in the table of positions.
    positions: Vec<u32>,
    attended: usize,
    crew: Phases,
    workspace: Arc<Workspace>,
}

/// A part of a step, and a chunk of rows.
#[derive(Debug, Clone, Copy)]
struct At {
    chunk: usize,
    part: usize,
}

impl Pass {
    /// Starts the pass of a text; all tokens attend to its first `attended` ones.
    pub(super) fn new(
        bert: Arc<Bert>,
        (ids, attended): (&[u32], usize),
        parts: usize,
        workspace: Arc<Workspace>,
    ) -> Self {
        assert!(attended > 0 && attended <= ids.len() && parts <= workspace.parts());
        let (positions, crew) = (bert.family.positions(ids), Phases::new(parts));
        Self { bert, ids: ids.to_vec(), positions, attended, crew, workspace }
    }

    /// Runs all steps, and skips parts that other threads have done.
    pub(super) fn run(&self) {
        let mut member = self.crew.join();
        member.share(|part| self.embed(part));
        for block in &self.bert.blocks {
            member.share(|part| self.attend(block, part));
            for chunk in self.chunks() {
                let at = |part| At { chunk, part };
                member.share(|part| self.attention_output(block, at(part)));
                member.share(|part| {
                    self.add(&block.attention_output, &block.attention_norm, at(part));
                });
                member.share(|part| self.intermediate(block, at(part)));
                member.share(|part| self.output(block, at(part)));
                member.share(|part| self.add(&block.output, &block.output_norm, at(part)));
            }
        }
    }

    /// The hidden states of all tokens, row by row.
    pub(super) fn states(&self) -> Vec<f32> {
        let parts = self.read(|part| &part.states);
        let mut states = Vec::with_capacity(self.ids.len() * self.bert.hidden());
        for RowBlock { rows, .. } in self.chunks().flat_map(|chunk| self.bands(&parts, chunk)) {
            states.extend_from_slice(&rows.values[..rows.count * rows.width]);
        }
        states
    }

    fn embed(&self, part: usize) {
        let Bert { architecture, kernel, words, positions, norm, .. } = &*self.bert;
        let hidden = architecture.hidden;
        let mut states = write(&self.workspace.0[part].states);
        states.clear();
        for row in self.chunks().flat_map(|chunk| self.band(At { chunk, part })) {
            let start = states.len();
            states.extend_from_slice(&words[self.ids[row] as usize * hidden..][..hidden]);
            let position = &positions[self.positions[row] as usize * hidden..][..hidden];
            kernel.layer_norm(&mut states[start..], position, norm);
        }
    }

    /// Attention of a part's heads: for each token, the values of all tokens, weighted by the
    /// softmax of their keys with its query.
    fn attend(&self, block: &Block, part: usize) {
        let mut scratch = lock(&self.workspace.0[part].scratch);
        let (heads, width, count) = (self.heads(part), self.bert.head_width(), self.ids.len());
        let columns = heads.start * 3 * width..heads.end * 3 * width;
        let panels = block.project.panels_with(&columns);
        let made = block.project.columns_of(&panels);
        self.project(block, panels, &mut scratch);
        let mut context = write(&self.workspace.0[part].context);
        context.resize(count * heads.len() * width, 0.0);
        for (head, start) in columns.step_by(3 * width).enumerate() {
            let (start, stride) = (start - made.start, made.len());
            let mut output =
                Output { values: &mut context[head * width..], stride: heads.len() * width };
            self.attend_by_head((start, stride), &mut scratch, &mut output);
        }
    }

    /// Computes queries, keys and values.
    fn project(&self, block: &Block, panels: Range<usize>, scratch: &mut Scratch) {
        let stride = block.project.columns_of(&panels).len();
        let states = self.read(|part| &part.states);
        scratch.projected.resize(self.ids.len() * stride, 0.0);
        for chunk in self.chunks() {
            let values = &mut scratch.projected[self.rows(chunk).start * stride..];
            let pieces = self.bands(&states, chunk);
            let output = &mut Output { values, stride };
            block.project.multiply_some(panels.clone(), &pieces, &mut scratch.left, output);
        }
    }

    /// Attention of one head, whose queries, keys and values start at column `start`.
    fn attend_by_head(
        &self,
        (start, stride): (usize, usize),
        scratch: &mut Scratch,
        context: &mut Output<'_>,
    ) {
        let Scratch { left, projected, keys, values, scores, sums } = scratch;
        let (width, seen, kernel) = (self.bert.head_width(), self.attended, self.bert.kernel);
        let scale = 1.0 / (width as f32).sqrt();
        let own = |which: usize, rows: Range<usize>| {
            let start = rows.start * stride + start + which * width;
            Rows { values: &projected[start..], stride, count: rows.len(), width }
        };
        keys.fill_transposed(own(1, 0..seen));
        values.fill(own(2, 0..seen));
        for rows in self.chunks().map(|chunk| self.rows(chunk)) {
            scores.resize(rows.len() * seen, 0.0);
            keys.multiply(own(0, rows.clone()), left, &mut Output::all(scores, seen));
            sums.clear();
            sums.extend(scores.chunks_exact_mut(seen).map(|row| kernel.softmax(row, scale)));
            let context_rows = &mut context.values[rows.start * context.stride..];
            let mut output = Output { values: context_rows, stride: context.stride };
            values.multiply(Rows::all(scores, seen), left, &mut output);
            for (row, sum) in output.values.chunks_mut(context.stride).zip(&*sums) {
                row[..width].iter_mut().for_each(|value| *value /= sum);
            }
        }
    }

    /// Attention output: projects the contexts of all heads.
    fn attention_output(&self, block: &Block, at: At) {
        let context = self.read(|part| &part.context);
        let (rows, width) = (self.rows(at.chunk), self.bert.head_width());
        let pieces = context.iter().enumerate().map(|(part, values)| {
            let heads = self.heads(part);
            let all = Rows::all(values, heads.len() * width);
            let rows = all.part(rows.start, rows.len());
            RowBlock { row: 0, column: heads.start * width, rows }
        });
        let output = &self.workspace.0[at.part].output;
        self.multiply(&block.attention_output, &pieces.collect::<Vec<_>>(), at, output);
    }

    fn intermediate(&self, block: &Block, at: At) {
        let states = self.read(|part| &part.states);
        let inner = &self.workspace.0[at.part].inner;
        self.multiply(&block.intermediate, &self.bands(&states, at.chunk), at, inner);
        let (mut inner, kernel) = (write(inner), self.bert.kernel);
        match self.bert.architecture.activation {
            Activation::Gelu => kernel.gelu(&mut inner),
            Activation::GeluTanh => kernel.gelu_tanh(&mut inner),
            Activation::Relu => inner.iter_mut().for_each(|value| *value = value.max(0.0)),
        }
    }

    fn output(&self, block: &Block, at: At) {
        let inner = self.read(|part| &part.inner);
        let pieces = inner.iter().enumerate().map(|(part, values)| {
            let columns = self.columns(&block.intermediate, part);
            RowBlock { row: 0, column: columns.start, rows: Rows::all(values, columns.len()) }
        });
        let output = &self.workspace.0[at.part].output;
        self.multiply(&block.output, &pieces.collect::<Vec<_>>(), at, output);
    }

    /// Computes a part's columns of a product, for the rows of a chunk.
    fn multiply(
        &self,
        panels: &Panels,
        pieces: &[RowBlock<'_>],
        at: At,
        output: &RwLock<Vec<f32>>,
    ) {
        let some = share(panels.count(), self.crew.parts(), at.part);
        let stride = panels.columns_of(&some).len();
        let (mut scratch, mut output) = (lock(&self.workspace.0[at.part].scratch), write(output));
        output.resize(self.rows(at.chunk).len() * stride, 0.0);
        panels.multiply_some(
            some,
            pieces,
            &mut scratch.left,
            &mut Output::all(&mut output, stride),
        );
    }

    /// Adds the outputs of a product to the hidden states, followed by the layer norm.
    fn add(&self, panels: &Panels, norm: &Norm, at: At) {
        let outputs = self.read(|part| &part.output);
        let (hidden, band) = (self.bert.hidden(), self.band(at));
        let skipped = band.start - self.rows(at.chunk).start;
        let mut states = write(&self.workspace.0[at.part].states);
        let states = states[self.offset(at) * hidden..].chunks_exact_mut(hidden).take(band.len());
        let mut added = vec![0.0; hidden];
        for (row, state) in states.enumerate() {
            for (part, output) in outputs.iter().enumerate() {
                let columns = self.columns(panels, part);
                let output = &output[(skipped + row) * columns.len()..][..columns.len()];
                added[columns].copy_from_slice(output);
            }
            self.bert.kernel.layer_norm(state, &added, norm);
        }
    }

    fn chunks(&self) -> Range<usize> {
        0..self.ids.len().div_ceil(MOST_ROWS)
    }

    /// The rows of a chunk.
    fn rows(&self, chunk: usize) -> Range<usize> {
        share(self.ids.len(), self.chunks().len(), chunk)
    }

    /// The rows of a band.
    fn band(&self, at: At) -> Range<usize> {
        let rows = self.rows(at.chunk);
        let band = share(rows.len(), self.crew.parts(), at.part);
        rows.start + band.start..rows.start + band.end
    }

    /// The offset of a band within the bands of its part.
    fn offset(&self, at: At) -> usize {
        (0..at.chunk).map(|chunk| self.band(At { chunk, ..at }).len()).sum()
    }

    /// The heads of a part.
    fn heads(&self, part: usize) -> Range<usize> {
        share(self.bert.architecture.heads, self.crew.parts(), part)
    }

    /// The columns of a part in a product.
    fn columns(&self, panels: &Panels, part: usize) -> Range<usize> {
        panels.columns_of(&share(panels.count(), self.crew.parts(), part))
    }

    /// The bands of a chunk, of all parts.
    fn bands<'a>(&self, states: &'a [Read<'_>], chunk: usize) -> Vec<RowBlock<'a>> {
        let (hidden, first) = (self.bert.hidden(), self.rows(chunk).start);
        let band = |(part, states): (usize, &'a Read<'_>)| {
            let at = At { chunk, part };
            let band = self.band(at);
            let rows = Rows::all(states, hidden).part(self.offset(at), band.len());
            RowBlock { row: band.start - first, column: 0, rows }
        };
        states.iter().enumerate().map(band).collect()
    }

    /// Locks the outputs of all parts for reading.
    fn read<'a>(&'a self, what: impl Fn(&'a Part) -> &'a RwLock<Vec<f32>>) -> Vec<Read<'a>> {
        let parts = self.workspace.0[..self.crew.parts()].iter();
        parts.map(|part| what(part).read().expect(WHOLE)).collect()
    }
}

const WHOLE: &str = "a part that panics ends the pass, and its workspace is not used again";

fn write(values: &RwLock<Vec<f32>>) -> RwLockWriteGuard<'_, Vec<f32>> {
    values.write().expect(WHOLE)
}

fn lock(scratch: &Mutex<Scratch>) -> MutexGuard<'_, Scratch> {
    scratch.lock().expect(WHOLE)
}
