//! Matrices laid out once, for a product that is made many times.
//!
//! A product is rows times a matrix. The matrix is cut into *panels* of 16 columns; a panel holds
//! its columns side by side, one [`Line`] for each step of the depth, so that a kernel reads it
//! from front to back, whole cache lines at a time. In `bf16` a step is two numbers, a [`Pair`].
//!
//! Every output is the sum of its products in the order of the depth, whatever rows are
//! multiplied with it. So the same row gives the same bits in any company.

use half::bf16;

use super::{Kernel, amx, portable, x86};

/// Columns in a panel.
pub(super) const WIDTH: usize = 16;
/// A tile of AMX takes 16 pairs at a time, so the depth is filled up with zeros.
const PAIRS: usize = 16;

/// Sixteen columns of one step of the depth.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Line<T>(pub(super) [T; WIDTH]);

/// Two neighbours in `bf16`: what one instruction multiplies and adds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(transparent)]
pub(super) struct Pair(pub(super) u32);

impl Pair {
    pub(super) fn new(first: f32, second: f32) -> Self {
        let bits = |value| u32::from(bf16::from_f32(value).to_bits());
        Self(bits(first) | bits(second) << 16)
    }

    pub(super) fn values(self) -> (f32, f32) {
        // bf16 is the upper half of an f32
        (f32::from_bits(self.0 << 16), f32::from_bits(self.0 & 0xffff_0000))
    }
}

/// A matrix in panels, as a kernel wants it.
#[derive(Debug)]
pub(crate) struct Panels {
    kernel: Kernel,
    columns: usize,
    depth: usize,
    lines: Lines,
    /// What each output begins with; zeros up to whole panels.
    bias: Vec<f32>,
    /// Rows on their way into the panels.
    left: Left,
}

#[derive(Debug)]
enum Lines {
    F32(Vec<Line<f32>>),
    Bf16(Vec<Line<Pair>>),
}

/// Rows on their way into a product: as they are, or turned into `bf16` in a buffer of its own.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pairs: Vec<Pair>,
}

/// Rows of a larger matrix: some columns of it, from one row on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    /// From the start of a row to the start of the next.
    pub(crate) stride: usize,
    pub(crate) count: usize,
    pub(crate) width: usize,
}

/// Where the outputs go: into some columns of rows.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    pub(crate) values: &'a mut [f32],
    /// From the start of a row to the start of the next.
    pub(crate) stride: usize,
}

/// What a kernel is given: everything is checked to be in bounds before.
#[derive(Debug)]
pub(super) struct Product<'a, T> {
    pub(super) left: &'a [T],
    pub(super) left_stride: usize,
    pub(super) rows: usize,
    pub(super) lines: &'a [Line<T>],
    /// Lines in a panel.
    pub(super) depth: usize,
    pub(super) bias: &'a [f32],
    pub(super) columns: usize,
    pub(super) output: &'a mut [f32],
    pub(super) output_stride: usize,
}

impl Panels {
    /// Starts without columns, to be filled.
    pub(crate) fn empty(kernel: Kernel) -> Self {
        let lines = if kernel.is_bf16() { Lines::Bf16(Vec::new()) } else { Lines::F32(Vec::new()) };
        Self { kernel, columns: 0, depth: 0, lines, bias: Vec::new(), left: Left::default() }
    }

    /// Lays out weights as checkpoints have them: one row of `depth` numbers for each output.
    pub(crate) fn of_weights(kernel: Kernel, weights: &[f32], bias: &[f32]) -> Self {
        let (columns, depth) = (bias.len(), weights.len() / bias.len());
        let mut panels = Self::empty(kernel);
        let rows = Rows { values: weights, stride: depth, count: columns, width: depth };
        panels.fill_transposed(rows);
        panels.bias[..columns].copy_from_slice(bias);
        panels.left = Left::default();
        panels
    }

    /// Makes each of these rows a column.
    pub(crate) fn fill_transposed(&mut self, rows: Rows<'_>) {
        self.resize(rows.count, rows.width);
        let Self { kernel, left, .. } = self;
        for (panel, (start, count)) in blocks(rows.count, WIDTH).enumerate() {
            let rows = rows.part(start, count);
            match &mut self.lines {
                Lines::F32(lines) => {
                    let lines = &mut lines[panel * rows.width..][..rows.width];
                    kernel.transpose(rows.values, rows.stride, count, lines);
                }
                Lines::Bf16(lines) => {
                    let depth = pairs(rows.width);
                    let lines = &mut lines[panel * depth..][..depth];
                    kernel.transpose(left.fill(*kernel, rows), depth, count, lines);
                }
            }
        }
    }

    /// Takes these rows as they are: their width is the number of columns.
    pub(crate) fn fill(&mut self, rows: Rows<'_>) {
        self.resize(rows.width, rows.count);
        for (panel, (start, width)) in blocks(rows.width, WIDTH).enumerate() {
            let rows = Rows { values: &rows.values[start..], width, ..rows };
            match &mut self.lines {
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
        match &mut self.lines {
            Lines::F32(lines) => refill(lines, panels * depth),
            Lines::Bf16(lines) => refill(lines, panels * pairs(depth)),
        }
    }

    /// Counts the outputs that a row gives.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Counts the bytes that are held.
    pub(crate) fn bytes(&self) -> usize {
        let lines = match &self.lines {
            Lines::F32(lines) => size_of_val(lines.as_slice()),
            Lines::Bf16(lines) => size_of_val(lines.as_slice()),
        };
        lines + size_of_val(self.bias.as_slice())
    }

    /// Multiplies rows with this matrix, and adds the bias.
    ///
    /// # Panics
    ///
    /// The rows have another width than this matrix has depth, or the output is too short.
    pub(crate) fn multiply(&self, rows: Rows<'_>, left: &mut Left, output: &mut Output<'_>) {
        assert_eq!(rows.width, self.depth, "rows as wide as the matrix is deep");
        assert!(output.stride >= self.columns, "rows of outputs do not overlap");
        if rows.count == 0 {
            return;
        }
        let (bias, columns, output_stride) = (&self.bias, self.columns, output.stride);
        let output = &mut output.values[..(rows.count - 1) * output_stride + columns];
        match &self.lines {
            Lines::F32(lines) => self.kernel.multiply_f32(&mut Product {
                left: &rows.values[..(rows.count - 1) * rows.stride + rows.width],
                left_stride: rows.stride,
                rows: rows.count,
                lines,
                depth: self.depth,
                bias,
                columns,
                output,
                output_stride,
            }),
            Lines::Bf16(lines) => {
                let depth = pairs(self.depth);
                self.kernel.multiply_bf16(&mut Product {
                    left: left.fill(self.kernel, rows),
                    left_stride: depth,
                    rows: rows.count,
                    lines,
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

impl Left {
    fn fill(&mut self, kernel: Kernel, rows: Rows<'_>) -> &[Pair] {
        let stride = pairs(rows.width);
        let count = rows.count * stride;
        // rows begin where cache lines do: a tile of AMX loads a line of each
        self.pairs.resize(count + PAIRS, Pair::default());
        let start = self.pairs.as_ptr().align_offset(align_of::<Line<Pair>>()).min(PAIRS);
        let pairs = &mut self.pairs[start..][..count];
        for (index, pairs) in pairs.chunks_exact_mut(stride).enumerate() {
            kernel.to_pairs(rows.row(index), pairs);
        }
        pairs
    }
}

impl<'a> Rows<'a> {
    /// All rows of a matrix.
    pub(crate) fn all(values: &'a [f32], width: usize) -> Self {
        Self { values, stride: width, count: values.len() / width, width }
    }

    pub(super) fn part(self, start: usize, count: usize) -> Self {
        Self { values: &self.values[start * self.stride..], count, ..self }
    }

    pub(crate) fn row(self, index: usize) -> &'a [f32] {
        &self.values[index * self.stride..][..self.width]
    }
}

impl<'a> Output<'a> {
    /// All columns of rows.
    pub(crate) fn all(values: &'a mut [f32], width: usize) -> Self {
        Self { values, stride: width }
    }
}

impl Kernel {
    fn multiply_f32(self, product: &mut Product<'_, f32>) {
        match self {
            Kernel::Avx512 => x86::avx512(product),
            Kernel::Avx2 => x86::avx2(product),
            _ => portable::multiply(product),
        }
    }

    fn multiply_bf16(self, product: &mut Product<'_, Pair>) {
        match self {
            Kernel::Amx => amx::multiply(product),
            Kernel::Avx512Bf16 => x86::avx512_bf16(product),
            _ => portable::multiply(product),
        }
    }
}

/// Cuts a number of things into as few parts as there can be, of nearly one size.
pub(super) fn parts(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = total.div_ceil(most);
    (0..count).map(move |part| {
        let (start, end) = (part * total / count, (part + 1) * total / count);
        (start, end - start)
    })
}

/// Cuts a number of things into parts of one size, but for the last.
fn blocks(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..total).step_by(size).map(move |start| (start, size.min(total - start)))
}

fn pairs(depth: usize) -> usize {
    depth.div_ceil(2).next_multiple_of(PAIRS)
}

fn refill<T: Clone + Default>(lines: &mut Vec<T>, count: usize) {
    lines.clear();
    lines.resize(count, T::default());
}
