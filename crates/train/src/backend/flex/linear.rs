//! Linear maps: one product, with the bias added while the rows are in the cache.

use rayon::prelude::*;

use super::loops::{sum_in_order, wide};
use super::operation::{Operation, Table, Turned};

/// `x Wᵀ`.
#[derive(Debug, Clone)]
pub(super) struct Times;

impl Operation<2> for Times {
    type Kept = [Table; 2];

    fn forward(&self, [x, weight]: [Table; 2]) -> (Table, [Table; 2]) {
        (x.times(&weight, Turned::Right), [x, weight])
    }

    fn backward(&self, kept: [Table; 2], gradient: Table, wanted: [bool; 2]) -> [Option<Table>; 2] {
        let [x, weight] = kept;
        [
            wanted[0].then(|| gradient.times(&weight, Turned::Neither)),
            wanted[1].then(|| gradient.times(&x, Turned::Left)),
        ]
    }
}

/// `x Wᵀ + b`.
#[derive(Debug, Clone)]
pub(super) struct TimesPlus;

impl Operation<3> for TimesPlus {
    type Kept = [Table; 2];

    fn forward(&self, [x, weight, bias]: [Table; 3]) -> (Table, [Table; 2]) {
        let (mut y, kept) = Times.forward([x, weight]);
        let bias = bias.values();
        y.values_mut().par_chunks_mut(bias.len()).with_min_len(16).for_each(|row| {
            wide(
                #[inline(always)]
                || row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias),
            );
        });
        (y, kept)
    }

    fn backward(&self, kept: [Table; 2], gradient: Table, wanted: [bool; 3]) -> [Option<Table>; 3] {
        let bias = wanted[2].then(|| sum_of_rows(&gradient));
        let [x, weight] = Times.backward(kept, gradient, [wanted[0], wanted[1]]);
        [x, weight, bias]
    }
}

/// All rows added up.
pub(super) fn sum_of_rows(table: &Table) -> Table {
    let (values, columns) = (table.values(), table.columns());
    let sum = sum_in_order(table.rows(), columns, |row, sum| {
        wide(
            #[inline(always)]
            || {
                let row = &values[row * columns..][..columns];
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            },
        );
    });
    Table::new(sum, 1)
}
