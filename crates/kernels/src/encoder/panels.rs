//! Matrices packed once for products that are computed many times.
//!
//! A product is rows times a matrix. The matrix is cut into *panels* of 16 columns. A panel stores
//! its columns interleaved, one [`PanelLine`] for each step of the depth, so that a kernel reads it
//! sequentially, in whole cache lines. In `bf16` a step is two numbers, a [`Pair`].
//!
//! Every output is the sum of its products in the order of the depth. So a row gives the same bits
//! whatever rows are computed with it.

use std::ops::Range;
use std::sync::Arc;

use super::lines::{Pair, PanelLine, Product, WIDTH, pairs};
use super::rows::{Output, PackedRows, RowBlock, Rows};
use super::{Kernel, amx, portable, x86};

/// A matrix in panels, as a kernel wants it.
#[derive(Debug)]
pub struct Panels {
    kernel: Kernel,
    columns: usize,
    depth: usize,
    /// Its own lines, or those of a [`WeightArena`], where it starts at the line of this number.
    lines: Arc<Lines>,
    first: usize,
    /// The initial value of each output, padded with zeros to whole panels.
    bias: Vec<f32>,
    /// Packed rows that are transposed into the panels.
    left: PackedRows,
}

#[derive(Debug)]
enum Lines {
    F32(Vec<PanelLine<f32>>),
    Bf16(Vec<PanelLine<Pair>>),
}

/// Consecutive matrices in one allocation, on large pages if the system has them.
#[derive(Debug)]
pub struct WeightArena {
    kernel: Kernel,
    lines: Lines,
    filled: usize,
}

/// A matrix in an arena that is being filled.
#[derive(Debug)]
pub struct Slot {
    depth: usize,
    first: usize,
    bias: Vec<f32>,
    columns: usize,
}

impl Lines {
    fn new(kernel: Kernel) -> Self {
        if kernel.is_bf16() { Self::Bf16(Vec::new()) } else { Self::F32(Vec::new()) }
    }

    /// Transposes these rows into columns, in the lines from `first` on.
    fn fill_transposed(
        &mut self,
        kernel: Kernel,
        first: usize,
        rows: Rows<'_>,
        left: &mut PackedRows,
    ) {
        for (panel, (start, count)) in blocks(rows.count, WIDTH).enumerate() {
            let rows = rows.part(start, count);
            match self {
                Self::F32(lines) => {
                    let lines = &mut lines[first + panel * rows.width..][..rows.width];
                    kernel.transpose(rows.values, rows.stride, count, lines);
                }
                Self::Bf16(lines) => {
                    let depth = pairs(rows.width);
                    let lines = &mut lines[first + panel * depth..][..depth];
                    let piece = RowBlock { row: 0, column: 0, rows };
                    let pairs = left.round(kernel, &[piece], count, rows.width);
                    kernel.transpose(pairs, depth, count, lines);
                }
            }
        }
    }
}

impl WeightArena {
    /// Allocates memory for matrices of these numbers of columns and depths.
    pub fn new(kernel: Kernel, shapes: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut lines = Lines::new(kernel);
        let depth = |depth| if kernel.is_bf16() { pairs(depth) } else { depth };
        let count = shapes.map(|(columns, deep)| columns.div_ceil(WIDTH) * depth(deep)).sum();
        match &mut lines {
            Lines::F32(lines) => *lines = zeros_on_large_pages(count),
            Lines::Bf16(lines) => *lines = zeros_on_large_pages(count),
        }
        Self { kernel, lines, filled: 0 }
    }

    /// Packs weights in the layout of checkpoints: one row of `depth` numbers per output.
    ///
    /// # Panics
    ///
    /// The arena was allocated for smaller matrices.
    pub fn push(&mut self, weights: &[f32], bias: &[f32]) -> Slot {
        let (columns, depth) = (bias.len(), weights.len() / bias.len());
        let rows = Rows { values: weights, stride: depth, count: columns, width: depth };
        let first = self.filled;
        self.lines.fill_transposed(self.kernel, first, rows, &mut PackedRows::default());
        let panels = columns.div_ceil(WIDTH);
        self.filled += panels * if self.kernel.is_bf16() { pairs(depth) } else { depth };
        let mut bias = bias.to_vec();
        bias.resize(panels * WIDTH, 0.0);
        Slot { columns, depth, first, bias }
    }

    /// Returns the matrices, by their slots.
    pub fn finish(self) -> impl Fn(Slot) -> Panels {
        let (kernel, lines) = (self.kernel, Arc::new(self.lines));
        move |Slot { columns, depth, first, bias }| {
            let (lines, left) = (Arc::clone(&lines), PackedRows::default());
            Panels { kernel, columns, depth, lines, first, bias, left }
        }
    }
}

impl Panels {
    /// A matrix without columns, to be filled.
    pub fn empty(kernel: Kernel) -> Self {
        let lines = Arc::new(Lines::new(kernel));
        let (bias, left) = (Vec::new(), PackedRows::default());
        Self { kernel, columns: 0, depth: 0, lines, first: 0, bias, left }
    }

    /// Packs weights in the layout of checkpoints: one row of `depth` numbers per output.
    pub fn of_weights(kernel: Kernel, weights: &[f32], bias: &[f32]) -> Self {
        let shape = (bias.len(), weights.len() / bias.len());
        let mut stack = WeightArena::new(kernel, std::iter::once(shape));
        let place = stack.push(weights, bias);
        stack.finish()(place)
    }

    /// Transposes these rows into columns.
    pub fn fill_transposed(&mut self, rows: Rows<'_>) {
        self.resize(rows.count, rows.width);
        own(&mut self.lines).fill_transposed(self.kernel, 0, rows, &mut self.left);
    }

    /// Packs these rows untransposed: their width is the number of columns.
    pub fn fill(&mut self, rows: Rows<'_>) {
        self.resize(rows.width, rows.count);
        let lines = own(&mut self.lines);
        for (panel, (start, width)) in blocks(rows.width, WIDTH).enumerate() {
            let rows = Rows { values: &rows.values[start..], width, ..rows };
            match lines {
                Lines::F32(lines) => {
                    let lines = &mut lines[panel * rows.count..][..rows.count];
                    for (step, line) in lines.iter_mut().enumerate() {
                        line.0[..width].copy_from_slice(rows.row(step));
                    }
                }
                Lines::Bf16(lines) => {
                    let depth = pairs(rows.count);
                    self.kernel.interleave(rows, &mut lines[panel * depth..][..depth]);
                }
            }
        }
    }

    fn resize(&mut self, columns: usize, depth: usize) {
        if (self.columns, self.depth) == (columns, depth) {
            return;
        }
        (self.columns, self.depth) = (columns, depth);
        let panels = columns.div_ceil(WIDTH);
        self.bias.clear();
        self.bias.resize(panels * WIDTH, 0.0);
        match own(&mut self.lines) {
            Lines::F32(lines) => refill(lines, panels * depth),
            Lines::Bf16(lines) => refill(lines, panels * pairs(depth)),
        }
    }

    /// The number of outputs per row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let lines = match &*self.lines {
            Lines::F32(_) => self.count() * self.depth * size_of::<PanelLine<f32>>(),
            Lines::Bf16(_) => self.count() * pairs(self.depth) * size_of::<PanelLine<Pair>>(),
        };
        lines + size_of_val(self.bias.as_slice())
    }

    /// The number of panels.
    pub fn count(&self) -> usize {
        self.columns.div_ceil(WIDTH)
    }

    /// The columns that some panels hold.
    pub fn columns_of(&self, panels: &Range<usize>) -> Range<usize> {
        (panels.start * WIDTH).min(self.columns)..(panels.end * WIDTH).min(self.columns)
    }

    /// The panels that hold some columns; they may hold more.
    pub fn panels_with(&self, columns: &Range<usize>) -> Range<usize> {
        columns.start / WIDTH..columns.end.div_ceil(WIDTH)
    }

    /// Multiplies rows with this matrix, and adds the bias.
    ///
    /// # Panics
    ///
    /// The rows have another width than this matrix has depth, or the output is too short.
    pub fn multiply(&self, rows: Rows<'_>, left: &mut PackedRows, output: &mut Output<'_>) {
        self.multiply_some(0..self.count(), &[RowBlock { row: 0, column: 0, rows }], left, output);
    }

    /// Multiplies rows, given in blocks, with some of the panels.
    ///
    /// # Panics
    ///
    /// The blocks do not add up to rows as wide as this matrix is deep, or the output is too short.
    pub fn multiply_some(
        &self,
        panels: Range<usize>,
        pieces: &[RowBlock<'_>],
        left: &mut PackedRows,
        output: &mut Output<'_>,
    ) {
        assert!(panels.end <= self.count(), "panels of this matrix");
        let count = pieces.iter().map(|piece| piece.row + piece.rows.count).max().unwrap_or(0);
        let columns = self.columns_of(&panels);
        if count == 0 || columns.is_empty() {
            return;
        }
        let numbers: usize = pieces.iter().map(|piece| piece.rows.count * piece.rows.width).sum();
        assert_eq!(numbers, count * self.depth, "rows as wide as the matrix is deep");
        assert!(output.stride >= columns.len(), "rows of outputs do not overlap");
        let bias = &self.bias[columns.start..];
        let (columns, output_stride) = (columns.len(), output.stride);
        let output = &mut output.values[..(count - 1) * output_stride + columns];
        match &*self.lines {
            Lines::F32(lines) => {
                let rows = left.gather(pieces, count, self.depth);
                self.kernel.multiply_f32(&mut Product {
                    left: &rows.values[..(count - 1) * rows.stride + rows.width],
                    left_stride: rows.stride,
                    rows: count,
                    lines: &lines[self.first + panels.start * self.depth..]
                        [..panels.len() * self.depth],
                    depth: self.depth,
                    bias,
                    columns,
                    output,
                    output_stride,
                });
            }
            Lines::Bf16(lines) => {
                let depth = pairs(self.depth);
                self.kernel.multiply_bf16(&mut Product {
                    left: left.round(self.kernel, pieces, count, self.depth),
                    left_stride: depth,
                    rows: count,
                    lines: &lines[self.first + panels.start * depth..][..panels.len() * depth],
                    depth,
                    bias,
                    columns,
                    output,
                    output_stride,
                });
            }
        }
    }
}

impl Kernel {
    fn multiply_f32(self, product: &mut Product<'_, f32>) {
        match self {
            Kernel::Avx512 => x86::avx512(product),
            Kernel::Avx2 => x86::avx2(product),
            // matrices of these are kept as pairs of bf16
            Kernel::Portable | Kernel::Avx512Bf16 | Kernel::Amx => portable::multiply(product),
        }
    }

    fn multiply_bf16(self, product: &mut Product<'_, Pair>) {
        match self {
            Kernel::Amx => amx::multiply(product),
            Kernel::Avx512Bf16 => x86::avx512_bf16(product),
            // matrices of these are kept as f32
            Kernel::Portable | Kernel::Avx2 | Kernel::Avx512 => portable::multiply(product),
        }
    }
}

/// Cuts a number of things into parts of one size, but for the last.
fn blocks(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..total).step_by(size).map(move |start| (start, size.min(total - start)))
}

/// Lines that are not shared.
fn own(lines: &mut Arc<Lines>) -> &mut Lines {
    Arc::get_mut(lines).expect("panels of a stack are not filled again")
}

fn zeros_on_large_pages<T: Clone + Default>(count: usize) -> Vec<PanelLine<T>> {
    let mut lines = Vec::with_capacity(count);
    x86::ask_for_large_pages(lines.spare_capacity_mut());
    lines.resize(count, PanelLine::default());
    lines
}

fn refill<T: Clone + Default>(lines: &mut Vec<T>, count: usize) {
    lines.clear();
    lines.resize(count, T::default());
}
