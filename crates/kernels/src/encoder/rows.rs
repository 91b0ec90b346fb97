//! Rows on their way into a product, and where its outputs go.
//!
//! Threads that share a product each wrote a piece of the rows that go into the next one. The
//! pieces are put together where a kernel reads them.

use super::Kernel;
use super::lines::{PAIRS, Pair, PanelLine, pairs};

/// Rows on their way into a product: as they are where they can be, or copied together, or turned
/// into `bf16`.
#[derive(Debug, Default)]
pub struct PackedRows {
    values: Vec<f32>,
    pairs: Vec<Pair>,
}

/// Rows of a larger matrix: some columns of it, from one row on.
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

/// A part of the rows that are multiplied, and the row and column where it begins among them.
///
/// In `bf16` a piece begins at an even column.
#[derive(Debug, Clone, Copy)]
pub struct RowBlock<'a> {
    /// The row where it begins.
    pub row: usize,
    /// The column where it begins.
    pub column: usize,
    /// The values.
    pub rows: Rows<'a>,
}

/// Where the outputs go: into some columns of rows.
#[derive(Debug)]
pub struct Output<'a> {
    /// The rows, from the first column on.
    pub values: &'a mut [f32],
    /// From the start of a row to the start of the next.
    pub stride: usize,
}

impl PackedRows {
    /// Puts pieces together; a single one stays where it is.
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

    /// Puts pieces together in `bf16`.
    pub(super) fn round(
        &mut self,
        kernel: Kernel,
        pieces: &[RowBlock<'_>],
        count: usize,
        width: usize,
    ) -> &[Pair] {
        let stride = pairs(width);
        // rows begin where cache lines do: a tile of AMX loads a line of each
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
    /// There are not so many.
    pub fn part(self, start: usize, count: usize) -> Self {
        Self { values: &self.values[start * self.stride..], count, ..self }
    }

    /// One of the rows.
    ///
    /// # Panics
    ///
    /// There is no such row.
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
