//! Inverted lists: views grouped by nearest centroid, each with a code of one bit per dimension.

mod code;
mod partition;
mod rotate;
mod scan;

pub(crate) use code::{BLOCK, block_bytes, encode, put};
pub(crate) use partition::{Partition, Scratch as PartitionScratch, Wanted as WantedLists};
pub(crate) use rotate::Rotation;
pub(crate) use scan::{Entries, Scanner};
