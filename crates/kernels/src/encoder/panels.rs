//! Matrices laid out once, for a product that is made many times.
//!
//! A product is rows times a matrix. The matrix is cut into *panels* of 16 columns; a panel holds
//! its columns side by side, one [`PanelLine`] for each step of the depth, so that a kernel reads it
//! from front to back, whole cache lines at a time. In `bf16` a step is two numbers, a [`Pair`].
//!
//! Every output is the sum of its products in the order of the depth, whatever rows are
//! multiplied with it. So the same row gives the same bits in any company.

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
    /// Its own, or those of a [`WeightArena`], where its first is the one of this number.
    lines: Arc<Lines>,
    first: usize,
    /// What each output begins with; zeros up to whole panels.
    bias: Vec<f32>,
    /// Rows on their way into the panels.
    left: PackedRows,
}

#[derive(Debug)]
enum Lines {
    F32(Vec<PanelLine<f32>>),
    Bf16(Vec<PanelLine<Pair>>),
}

/// Matrices one behind the other in memory, on large pages where the system has them.
#[derive(Debug)]
pub struct WeightArena {
    kernel: Kernel,
    lines: Lines,
    filled: usize,
}

/// A matrix in a stack that grows.
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

    /// Makes each of these rows a column, in the lines from `first` on.
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
    /// Makes room for matrices of these numbers of columns and depths.
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

    /// Lays out weights as checkpoints have them: one row of `depth` numbers for each output.
    ///
    /// # Panics
    ///
    /// The stack was made for smaller matrices.
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

    /// Gives the matrices, by their places.
    pub fn finish(self) -> impl Fn(Slot) -> Panels {
        let (kernel, lines) = (self.kernel, Arc::new(self.lines));
        move |Slot { columns, depth, first, bias }| {
            let (lines, left) = (Arc::clone(&lines), PackedRows::default());
            Panels { kernel, columns, depth, lines, first, bias, left }
        }
    }
}

impl Panels {
    /// Starts without columns, to be filled.
    pub fn empty(kernel: Kernel) -> Self {
        let lines = Arc::new(Lines::new(kernel));
        let (bias, left) = (Vec::new(), PackedRows::default());
        Self { kernel, columns: 0, depth: 0, lines, first: 0, bias, left }
    }

    /// Lays out weights as checkpoints have them: one row of `depth` numbers for each output.
    pub fn of_weights(kernel: Kernel, weights: &[f32], bias: &[f32]) -> Self {
        let shape = (bias.len(), weights.len() / bias.len());
        let mut stack = WeightArena::new(kernel, std::iter::once(shape));
        let place = stack.push(weights, bias);
        stack.finish()(place)
    }

    /// Makes each of these rows a column.
    pub fn fill_transposed(&mut self, rows: Rows<'_>) {
        self.resize(rows.count, rows.width);
        own(&mut self.lines).fill_transposed(self.kernel, 0, rows, &mut self.left);
    }

    /// Takes these rows as they are: their width is the number of columns.
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

    /// Counts the outputs that a row gives.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Counts the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let lines = match &*self.lines {
            Lines::F32(_) => self.count() * self.depth * size_of::<PanelLine<f32>>(),
            Lines::Bf16(_) => self.count() * pairs(self.depth) * size_of::<PanelLine<Pair>>(),
        };
        lines + size_of_val(self.bias.as_slice())
    }

    /// Counts the panels.
    pub fn count(&self) -> usize {
        self.columns.div_ceil(WIDTH)
    }

    /// Tells which columns some panels hold.
    pub fn columns_of(&self, panels: &Range<usize>) -> Range<usize> {
        (panels.start * WIDTH).min(self.columns)..(panels.end * WIDTH).min(self.columns)
    }

    /// Tells which panels hold some columns, and perhaps some more.
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

    /// Multiplies rows, given in pieces, with some of the panels.
    ///
    /// # Panics
    ///
    /// The pieces hold more or fewer numbers than rows as wide as this matrix is deep, or the output
    /// is too short.
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

/// Lines that nobody else reads.
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
