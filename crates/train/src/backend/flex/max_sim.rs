//! The best product of each query row with the rows of a document, and the index of that row.
//!
//! Only the best rows take part in the backward pass, so that is cheap, and the products of all
//! rows are never stored.

use rayon::prelude::*;

use super::super::Spans;
use super::loops::{COLUMNS, add_product, turn, wide};
use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct MaxSim {
    pub(super) spans: Spans,
}

/// Queries, documents, and the best row for each query row and document.
type Kept = ([Table; 2], Vec<u32>);

/// The index if there is no row.
const NONE: u32 = u32::MAX;

impl Operation<2> for MaxSim {
    type Kept = Kept;

    fn forward(&self, [queries, documents]: [Table; 2]) -> (Table, Kept) {
        let (rows, count) = (queries.rows(), self.spans.count());
        let columns = (0..count).into_par_iter().with_max_len(1).map(|document| {
            let span = self.spans.of(document);
            let found = self.column(&queries, &documents, document);
            found
                .into_iter()
                .map(move |(product, row)| match row {
                    NONE => (0.0, NONE),
                    row => (product, row + span.start as u32),
                })
                .collect::<Vec<_>>()
        });
        let columns: Vec<Vec<(f32, u32)>> = columns.collect();
        let cells = || (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
        let products = cells().map(|(product, _)| product).collect();
        let best = cells().map(|(_, row)| row).collect();
        (Table::new(products, rows), ([queries, documents], best))
    }

    fn backward(
        &self,
        ([queries, documents], best): Kept,
        gradient: Table,
        wanted: [bool; 2],
    ) -> [Option<Table>; 2] {
        let (dim, count, rows) = (queries.columns(), self.spans.count(), queries.rows());
        let gradients = gradient.values();
        let for_queries = || {
            let mut into = vec![0.0; rows * dim];
            into.par_chunks_mut(dim).enumerate().for_each(|(row, into)| {
                for cell in row * count..(row + 1) * count {
                    add(into, gradients[cell], best[cell], documents.values());
                }
            });
            Table::new(into, rows)
        };
        let for_documents = || {
            let mut into = vec![0.0; documents.values().len()];
            let mut parts = Vec::new();
            let mut left = into.as_mut_slice();
            for span in self.spans.iter() {
                let (part, after) = left.split_at_mut(span.len() * dim);
                parts.push((part, span.start));
                left = after;
            }
            parts.into_par_iter().enumerate().for_each(|(document, (into, start))| {
                for row in 0..rows {
                    let cell = row * count + document;
                    if best[cell] != NONE {
                        let into = &mut into[(best[cell] as usize - start) * dim..][..dim];
                        add(into, gradients[cell], row as u32, queries.values());
                    }
                }
            });
            Table::new(into, documents.rows())
        };
        [wanted[0].then(for_queries), wanted[1].then(for_documents)]
    }
}

/// Adds a row of a table, times a factor.
fn add(into: &mut [f32], factor: f32, row: u32, table: &[f32]) {
    if factor == 0.0 || row == NONE {
        return;
    }
    let row = &table[row as usize * into.len()..][..into.len()];
    wide(
        #[inline(always)]
        || into.iter_mut().zip(row).for_each(|(into, value)| *into += factor * value),
    );
}

impl MaxSim {
    /// The best product of each query row with one document, and its row in the document.
    fn column(&self, queries: &Table, documents: &Table, document: usize) -> Vec<(f32, u32)> {
        /// Query rows at a time: their products stay in the cache.
        const ROWS: usize = 48;
        let (span, dim) = (self.spans.of(document), queries.columns());
        let length = span.len();
        if length == 0 {
            return vec![(0.0, NONE); queries.rows()];
        }
        let width = length.next_multiple_of(COLUMNS);
        let mut turned = Vec::new();
        turn(&documents.values()[span.start * dim..span.end * dim], dim, width, &mut turned);
        let mut best = Vec::with_capacity(queries.rows());
        let mut products = Vec::new();
        for queries in queries.values().chunks(ROWS * dim) {
            products.clear();
            products.resize(queries.len() / dim * width, 0.0);
            add_product(&mut products, width, queries, [dim, 1], &turned);
            best.extend(products.chunks_exact(width).map(|row| best_of(&row[..length])));
        }
        best
    }
}

/// The largest value and its place; of equal ones the first.
fn best_of(products: &[f32]) -> (f32, u32) {
    let mut best = (f32::NEG_INFINITY, 0);
    for (&product, place) in products.iter().zip(0..) {
        if product > best.0 {
            best = (product, place);
        }
    }
    best
}
