//! How the values of views are kept: as halves, or in fewer bits for machines short of disk.
//!
//! A view is turned by a fixed [`Rotation`], after which its values look as if drawn from one bell
//! curve, whatever made it. So one scale for each view and one grid for all are near the best
//! that a fixed number of bits a value can do, and nothing has to be learned: a view is coded when
//! it comes, and its bytes are copied when segments are merged, so that no loss adds up.
//!
//! ```text
//! f16    dim halves
//! 8bit   scale (bf16)   a byte a value
//! 4bit   scale (bf16)   half a byte a value: byte i has values i and i + dim / 2
//! ```
//!
//! Products stay what they are when both sides are turned. So nothing is turned back for a search:
//! the query is turned once ([`Coder::turn`]), and rows are read as turned halves.
//!
//! A view of zeros stays one. Values of a turned view beyond 65,504 are cut.

mod levels;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::levels::ScaledRow;
use crate::lists::Rotation;
use fastlane_kernels::search::{Kernel, f16};

/// How the values of views are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Store {
    /// As halves: 2 bytes a value.
    #[default]
    #[serde(rename = "f16")]
    F16,
    /// In 8 bits a value, and 2 bytes a view.
    #[serde(rename = "8bit")]
    Bits8,
    /// In 4 bits a value, and 2 bytes a view.
    #[serde(rename = "4bit")]
    Bits4,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F16, Self::Bits8, Self::Bits4];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::Bits8 => "8bit",
            Self::Bits4 => "4bit",
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Where all turns come from: stored rows mean the same for ever.
const SEED: u64 = 0x57_0E;

/// Turns views into rows of bytes, and these into halves.
#[derive(Debug, Clone)]
pub(crate) struct Coder {
    dim: usize,
    /// Without it, rows are halves.
    turned: Option<(ScaledRow, Rotation)>,
}

/// Room for rows that are written or read, to be used again.
#[derive(Debug, Default)]
pub(crate) struct RowScratch {
    halves: Vec<f16>,
    floats: Vec<f32>,
    bytes: Vec<u8>,
}

impl Coder {
    pub(crate) fn new(store: Store, dim: usize) -> Self {
        let levels = match store {
            Store::F16 => None,
            Store::Bits8 => Some(ScaledRow::EIGHT_BITS),
            Store::Bits4 => Some(ScaledRow::FOUR_BITS),
        };
        Self { dim, turned: levels.map(|levels| (levels, Rotation::new(dim, SEED))) }
    }

    /// Tells how long a view is.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Tells how many bytes a row has.
    pub(crate) fn row_bytes(&self) -> usize {
        match &self.turned {
            None => size_of::<f16>() * self.dim,
            Some((levels, _)) => levels.row_bytes(self.dim),
        }
    }

    /// Makes the rows of some views, in the scratch.
    pub(crate) fn encode<'a>(&self, views: &[f32], scratch: &'a mut RowScratch) -> &'a [u8] {
        let RowScratch { halves, floats, bytes } = scratch;
        let Some((levels, rotation)) = &self.turned else {
            halves.resize(views.len(), f16::ZERO);
            Kernel::best().to_halves(views, halves);
            return bytemuck::cast_slice(halves);
        };
        bytes.resize(views.len() / self.dim * self.row_bytes(), 0);
        floats.resize(self.dim, 0.0);
        let rows = bytes.chunks_exact_mut(self.row_bytes());
        for (view, row) in views.chunks_exact(self.dim).zip(rows) {
            floats.copy_from_slice(view);
            rotation.apply(floats);
            levels.encode(floats, row);
        }
        bytes
    }

    /// Reads whole rows: as they lie there if they are halves, else into the scratch.
    pub(crate) fn read<'a>(&self, rows: &'a [u8], scratch: &'a mut RowScratch) -> &'a [f16] {
        let Some((levels, _)) = &self.turned else {
            return bytemuck::try_cast_slice(rows).unwrap_or_default();
        };
        let RowScratch { halves, floats, .. } = scratch;
        halves.resize(rows.len() / self.row_bytes() * self.dim, f16::ZERO);
        floats.resize(self.dim, 0.0);
        let rows = rows.chunks_exact(self.row_bytes());
        for (row, halves) in rows.zip(halves.chunks_exact_mut(self.dim)) {
            levels.decode(row, floats);
            Kernel::best().to_halves(floats, halves);
        }
        halves
    }

    /// Turns vectors as rows are, so that their products are those with the views.
    pub(crate) fn turn(&self, vectors: &mut [f32]) {
        if let Some((_, rotation)) = &self.turned {
            vectors.chunks_exact_mut(self.dim).for_each(|vector| rotation.apply(vector));
        }
    }

    /// Reads whole rows as the views that they stand for, and adds these.
    pub(crate) fn decode(&self, rows: &[u8], views: &mut Vec<f32>) {
        let (start, scratch) = (views.len(), &mut RowScratch::default());
        let halves = self.read(rows, scratch);
        views.resize(start + halves.len(), 0.0);
        Kernel::best().to_floats(halves, &mut views[start..]);
        if let Some((_, rotation)) = &self.turned {
            views[start..].chunks_exact_mut(self.dim).for_each(|view| rotation.undo(view));
        }
    }
}

#[cfg(test)]
mod tests;
