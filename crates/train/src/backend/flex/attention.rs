//! Attention, text by text and head by head, without padding and without storing the shares.
//!
//! ```text
//! P = softmax(Q Kᵀ/√d) ∘ drop     O = P V
//! dV = Pᵀ dO     dP = dO Vᵀ ∘ drop     dS = P ∘ (dP - Σ P ∘ dP)/√d     dQ = dS K     dK = dSᵀ Q
//! ```
//!
//! The shares P of a head are recomputed in the backward pass: for 128 tokens they are four times
//! as large as their inputs.

use rayon::prelude::*;

use super::super::{Dropout, Spans};
use super::loops::{add_product, exp, turn, wide};
use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct Attend {
    pub(super) spans: Spans,
    pub(super) attended: Vec<usize>,
    pub(super) heads: usize,
    pub(super) dropout: Dropout,
}

impl Operation<3> for Attend {
    type Kept = [Table; 3];

    fn forward(&self, parts: [Table; 3]) -> (Table, [Table; 3]) {
        let width = parts[0].columns() / self.heads;
        let [output] = self.for_each_head(&parts[0], |head, scratch, [output]| {
            let [queries, keys, values] = parts.each_ref().map(|part| head.gather(part));
            head.shares(&queries, &keys, scratch);
            head.drop(&mut scratch.shares);
            add_product(output, width, &scratch.shares, [head.rows, 1], &values);
        });
        (output, parts)
    }

    fn backward(&self, kept: [Table; 3], gradient: Table, _: [bool; 3]) -> [Option<Table>; 3] {
        let width = kept[0].columns() / self.heads;
        let found = self.for_each_head(&kept[0], |head, scratch, outputs: &mut [Vec<f32>; 3]| {
            let [queries, keys, values] = kept.each_ref().map(|part| head.gather(part));
            let gradient = head.gather(&gradient);
            let [for_queries, for_keys, for_values] = outputs;
            let rows = head.rows;
            head.shares(&queries, &keys, scratch);
            turn(&values, width, rows, &mut scratch.turned);
            scratch.back.clear();
            scratch.back.resize(rows * rows, 0.0);
            add_product(&mut scratch.back, rows, &gradient, [width, 1], &scratch.turned);
            head.drop(&mut scratch.back);
            head.back(&scratch.shares, &mut scratch.back);
            head.drop(&mut scratch.shares);
            add_product(for_values, width, &scratch.shares, [1, rows], &gradient);
            add_product(for_queries, width, &scratch.back, [rows, 1], &keys);
            add_product(for_keys, width, &scratch.back, [1, rows], &queries);
        });
        found.map(Some)
    }
}

impl Attend {
    /// Fills tables, head by head, on all threads.
    fn for_each_head<const N: usize>(
        &self,
        like: &Table,
        fill: impl Fn(&Head, &mut Scratch, &mut [Vec<f32>; N]) + Sync,
    ) -> [Table; N] {
        let (rows, columns) = (like.rows(), like.columns());
        let width = columns / self.heads;
        let one = |scratch: &mut Scratch, text: usize| {
            let span = self.spans.of(text);
            let mut whole: [Vec<f32>; N] = std::array::from_fn(|_| vec![0.0; span.len() * columns]);
            let heads = if span.is_empty() { 0 } else { self.heads };
            for number in 0..heads {
                let dropout = self.dropout.of((text * self.heads + number) as u32);
                let rows = span.len();
                let attended = self.attended[text];
                let head = Head { start: span.start, rows, attended, number, width, dropout };
                let mut parts = std::array::from_fn(|_| vec![0.0; rows * width]);
                fill(&head, scratch, &mut parts);
                for (whole, part) in whole.iter_mut().zip(&parts) {
                    let rows = whole.chunks_exact_mut(columns).zip(part.chunks_exact(width));
                    rows.for_each(|(row, part)| {
                        row[number * width..][..width].copy_from_slice(part);
                    });
                }
            }
            whole
        };
        let texts = (0..self.spans.count()).into_par_iter().with_max_len(1);
        let texts: Vec<[Vec<f32>; N]> = texts.map_init(Scratch::default, one).collect();
        let mut tables: [Vec<f32>; N] = std::array::from_fn(|_| Vec::with_capacity(rows * columns));
        for text in texts {
            tables.iter_mut().zip(text).for_each(|(table, text)| table.extend(text));
        }
        tables.map(|table| Table::new(table, rows))
    }
}

/// Buffers of a thread, reused for each head.
#[derive(Default)]
struct Scratch {
    turned: Vec<f32>,
    shares: Vec<f32>,
    back: Vec<f32>,
}

/// One head of one text.
struct Head {
    start: usize,
    rows: usize,
    /// The number of rows that are attended to.
    attended: usize,
    number: usize,
    width: usize,
    dropout: Dropout,
}

impl Head {
    /// The head's columns of the text's rows.
    fn gather(&self, table: &Table) -> Vec<f32> {
        let columns = table.columns();
        let rows = table.values()[self.start * columns..].chunks_exact(columns).take(self.rows);
        rows.flat_map(|row| &row[self.number * self.width..][..self.width]).copied().collect()
    }

    /// The attention shares of each token: rows that add up to 1.
    fn shares(&self, queries: &[f32], keys: &[f32], scratch: &mut Scratch) {
        turn(keys, self.width, self.rows, &mut scratch.turned);
        scratch.shares.clear();
        scratch.shares.resize(self.rows * self.rows, 0.0);
        add_product(&mut scratch.shares, self.rows, queries, [self.width, 1], &scratch.turned);
        let scale = 1.0 / (self.width as f32).sqrt();
        wide(
            #[inline(always)]
            || {
                for row in scratch.shares.chunks_exact_mut(self.rows) {
                    let (seen, unseen) = row.split_at_mut(self.attended);
                    softmax(seen, scale);
                    unseen.fill(0.0);
                }
            },
        );
    }

    fn drop(&self, shares: &mut [f32]) {
        if self.dropout.rate > 0.0 {
            let dropout = self.dropout;
            wide(
                #[inline(always)]
                || {
                    let places = shares.iter_mut().zip(0_u32..);
                    places.for_each(|(share, place)| *share *= dropout.factor(place));
                },
            );
        }
    }

    /// Backward pass of the softmax: from the gradient of the shares to that of the scores.
    fn back(&self, shares: &[f32], back: &mut [f32]) {
        let scale = 1.0 / (self.width as f32).sqrt();
        wide(
            #[inline(always)]
            || {
                let rows = back.chunks_exact_mut(self.rows).zip(shares.chunks_exact(self.rows));
                rows.for_each(|(back, shares)| softmax_back(shares, back, scale));
            },
        );
    }
}

#[inline(always)]
fn softmax(row: &mut [f32], scale: f32) {
    let most = row.iter().fold(f32::NEG_INFINITY, |most, &value| most.max(value));
    row.iter_mut().for_each(|value| *value = exp((*value - most) * scale));
    let mut sums = [0.0_f32; 16];
    row.iter().enumerate().for_each(|(at, value)| sums[at % 16] += value);
    let scale = 1.0 / sums.iter().sum::<f32>();
    row.iter_mut().for_each(|value| *value *= scale);
}

#[inline(always)]
fn softmax_back(shares: &[f32], back: &mut [f32], scale: f32) {
    let mut sums = [0.0_f32; 16];
    let pairs = back.iter().zip(shares).enumerate();
    pairs.for_each(|(at, (back, share))| sums[at % 16] += back * share);
    let mean = sums.iter().sum::<f32>();
    let pairs = back.iter_mut().zip(shares);
    pairs.for_each(|(back, share)| *back = share * (*back - mean) * scale);
}
