//! Rows of a table, such as the embeddings of tokens.

use std::sync::Arc;

use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) numbers: Arc<[u32]>,
}

impl Operation<1> for Rows {
    type Kept = usize;

    fn forward(&self, [table]: [Table; 1]) -> (Table, usize) {
        let dim = table.columns();
        let row = |&number: &u32| &table.values()[number as usize * dim..][..dim];
        let rows = self.numbers.iter().flat_map(row).copied().collect();
        (Table::new(rows, self.numbers.len()), table.rows())
    }

    fn backward(&self, rows: usize, gradient: Table, _: [bool; 1]) -> [Option<Table>; 1] {
        let dim = gradient.columns();
        let mut into = vec![0.0; rows * dim];
        for (row, &number) in gradient.values().chunks_exact(dim).zip(self.numbers.iter()) {
            let into = &mut into[number as usize * dim..][..dim];
            into.iter_mut().zip(row).for_each(|(into, value)| *into += value);
        }
        [Some(Table::new(into, rows))]
    }
}
