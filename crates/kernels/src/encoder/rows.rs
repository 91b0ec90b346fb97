//! The input rows of a product, and the destination of its outputs.
//!
//! Threads that share a product each write a block of the rows for the next one. The blocks are
//! assembled where a kernel reads them.

use super::Kernel;
use super::lines::{PAIRS, Pair, PanelLine, pairs};

/// Input rows of a product: borrowed if possible, else copied together or converted to `bf16`.
#[derive(Debug, Default)]
pub struct PackedRows {
    values: Vec<f32>,
    pairs: Vec<Pair>,
}

/// Rows of a larger matrix: a range of its columns, from one row on.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The matrix, from the first of the rows on.
    pub values: &'a [f32],
    /// From the start of a row to the start of the next.
    pub stride: usize,
    /// How many rows.
    pub count: usize,
    /// How many columns.
    pub width: usize,
}

/// A block of the rows that are multiplied, and its first row and column among them.
///
/// In `bf16` a block starts at an even column.
#[derive(Debug, Clone, Copy)]
pub struct RowBlock<'a> {
    /// Its first row.
    pub row: usize,
    /// Its first column.
    pub column: usize,
    /// The values.
    pub rows: Rows<'a>,
}

/// The destination of outputs: a range of columns of some rows.
#[derive(Debug)]
pub struct Output<'a> {
    /// The rows, from the first column on.
    pub values: &'a mut [f32],
    /// From the start of a row to the start of the next.
    pub stride: usize,
}

impl PackedRows {
    /// Assembles blocks; a single one is borrowed.
    pub(super) fn gather<'a>(
        &'a mut self,
        pieces: &[RowBlock<'a>],
        count: usize,
        width: usize,
    ) -> Rows<'a> {
        if let [RowBlock { rows, .. }] = pieces {
            return *rows;
        }
        self.values.resize(count * width, 0.0);
        for piece in pieces {
            let rows = self.values.chunks_exact_mut(width).skip(piece.row);
            for (index, row) in rows.take(piece.rows.count).enumerate() {
                row[piece.column..][..piece.rows.width].copy_from_slice(piece.rows.row(index));
            }
        }
        Rows::all(&self.values, width)
    }

    /// Assembles blocks in `bf16`.
    pub(super) fn round(
        &mut self,
        kernel: Kernel,
        pieces: &[RowBlock<'_>],
        count: usize,
        width: usize,
    ) -> &[Pair] {
        let stride = pairs(width);
        // rows start at cache lines, because a tile of AMX loads one line per row
        self.pairs.resize(count * stride + PAIRS, Pair::default());
        let start = self.pairs.as_ptr().align_offset(align_of::<PanelLine<Pair>>()).min(PAIRS);
        let pairs = &mut self.pairs[start..][..count * stride];
        for RowBlock { row, column, rows } in pieces {
            debug_assert!(column.is_multiple_of(2));
            let end = if column + rows.width == width { stride } else { (column + rows.width) / 2 };
            let lines = pairs.chunks_exact_mut(stride).skip(*row);
            for (index, pairs) in lines.take(rows.count).enumerate() {
                kernel.to_pairs(rows.row(index), &mut pairs[column / 2..end]);
            }
        }
        pairs
    }
}

impl<'a> Rows<'a> {
    /// All rows of a matrix.
    pub fn all(values: &'a [f32], width: usize) -> Self {
        Self { values, stride: width, count: values.len() / width, width }
    }

    /// Some of the rows.
    ///
    /// # Panics
    ///
    /// An index is out of range.
    pub fn part(self, start: usize, count: usize) -> Self {
        Self { values: &self.values[start * self.stride..], count, ..self }
    }

    /// One of the rows.
    ///
    /// # Panics
    ///
    /// The index is out of range.
    pub fn row(self, index: usize) -> &'a [f32] {
        &self.values[index * self.stride..][..self.width]
    }
}

impl<'a> Output<'a> {
    /// All columns of rows.
    pub fn all(values: &'a mut [f32], width: usize) -> Self {
        Self { values, stride: width }
    }
}
