//! Inverted lists: views grouped by nearest centroid, each with a code of one bit per dimension.

mod code;
mod partition;
mod rotate;
mod scan;

pub(crate) use code::{BLOCK, block_bytes, encode, put};
pub(crate) use partition::{Partition, ProbeRequest, Scratch as PartitionScratch};
pub(crate) use rotate::Rotation;
pub(crate) use scan::{Entries, Scanner};
