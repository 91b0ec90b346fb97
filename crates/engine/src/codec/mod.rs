//! The codec of stored views: half precision, or fewer bits to save disk.
//!
//! A view is first rotated by a fixed [`Rotation`]. Its values then look as if drawn from a normal
//! distribution, whatever the input was. So one scale per view and one grid for all views are close
//! to the best that a fixed number of bits per value can do, and nothing has to be learned: a view
//! is encoded when it is added, and merges copy its bytes, so that no loss accumulates.
//!
//! ```text
//! f16    dim halves
//! 8bit   scale (bf16)   a byte a value
//! 4bit   scale (bf16)   half a byte a value: byte i has values i and i + dim / 2
//! ```
//!
//! Inner products do not change when both sides are rotated. So a search does not rotate rows back:
//! it rotates the query once ([`Coder::turn`]) and reads rows as rotated halves.
//!
//! A view of zeros stays zero. Values of a rotated view beyond ±65,504 are clamped.

mod levels;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::levels::ScaledRow;
use crate::lists::Rotation;
use fastlane_kernels::search::{Kernel, f16};

/// How the values of views are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Store {
    /// Half precision: 2 bytes per value.
    #[default]
    #[serde(rename = "f16")]
    F16,
    /// 8 bits per value, and 2 bytes per view.
    #[serde(rename = "8bit")]
    Bits8,
    /// 4 bits per value, and 2 bytes per view.
    #[serde(rename = "4bit")]
    Bits4,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F16, Self::Bits8, Self::Bits4];

    /// The name, as used in options and files.
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

/// The seed of every rotation. It never changes, so stored rows keep their meaning.
const SEED: u64 = 0x57_0E;

/// Encodes views as rows of bytes, and decodes rows to halves.
#[derive(Debug, Clone)]
pub(crate) struct Coder {
    dim: usize,
    /// Quantisation and rotation; `None` if rows are plain halves.
    rotated: Option<(ScaledRow, Rotation)>,
}

/// Reusable buffers for rows that are written or read.
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
        Self { dim, rotated: levels.map(|levels| (levels, Rotation::new(dim, SEED))) }
    }

    /// The dimension of a view.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// The size of a row in bytes.
    pub(crate) fn row_bytes(&self) -> usize {
        match &self.rotated {
            None => size_of::<f16>() * self.dim,
            Some((levels, _)) => levels.row_bytes(self.dim),
        }
    }

    /// Encodes some views into the scratch buffer, and returns the rows.
    pub(crate) fn encode<'a>(&self, views: &[f32], scratch: &'a mut RowScratch) -> &'a [u8] {
        let RowScratch { halves, floats, bytes } = scratch;
        let Some((levels, rotation)) = &self.rotated else {
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

    /// Reads whole rows: in place if they are halves, else decoded into the scratch buffer.
    pub(crate) fn read<'a>(&self, rows: &'a [u8], scratch: &'a mut RowScratch) -> &'a [f16] {
        let Some((levels, _)) = &self.rotated else {
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

    /// Rotates vectors as rows are rotated, so that their products are those with the views.
    pub(crate) fn rotate(&self, vectors: &mut [f32]) {
        if let Some((_, rotation)) = &self.rotated {
            vectors.chunks_exact_mut(self.dim).for_each(|vector| rotation.apply(vector));
        }
    }

    /// Decodes whole rows to approximations of the original views, and appends these.
    pub(crate) fn decode(&self, rows: &[u8], views: &mut Vec<f32>) {
        let (start, scratch) = (views.len(), &mut RowScratch::default());
        let halves = self.read(rows, scratch);
        views.resize(start + halves.len(), 0.0);
        Kernel::best().to_floats(halves, &mut views[start..]);
        if let Some((_, rotation)) = &self.rotated {
            views[start..].chunks_exact_mut(self.dim).for_each(|view| rotation.undo(view));
        }
    }
}

#[cfg(test)]
mod tests;
