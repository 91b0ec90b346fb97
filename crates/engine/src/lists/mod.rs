//! Inverted lists: views by the centroid they are nearest to, each a code of one bit a dimension.

mod code;
mod partition;
mod rotate;
mod scan;

pub(crate) use code::{BLOCK, block_bytes, encode, put};
pub(crate) use partition::{Partition, Scratch as PartitionScratch, Wanted as WantedLists};
pub(crate) use rotate::Rotation;
pub(crate) use scan::{Entries, Scanner};
