//! Dropout with factors that are computed, not stored.

use super::super::Dropout;
use super::loops::each;
use super::operation::{Operation, Table};

#[derive(Debug, Clone)]
pub(super) struct Drop {
    pub(super) dropout: Dropout,
}

impl Operation<1> for Drop {
    type Kept = ();

    fn forward(&self, [mut x]: [Table; 1]) -> (Table, ()) {
        each(x.values_mut(), |place, value| *value *= self.dropout.factor(place as u32));
        (x, ())
    }

    fn backward(&self, (): (), gradient: Table, _: [bool; 1]) -> [Option<Table>; 1] {
        [Some(self.forward([gradient]).0)]
    }
}
