//! The byte format of a partition, little endian: three 32-bit numbers (dims, groups, lists), the
//! first list of each group and the end, the radius of each list as 32 bits, then the centroids of
//! groups and of lists as halves.

use half::slice::HalfFloatSliceExt as _;

use super::Partition;
use super::points::Points;
use fastlane_kernels::search::f16;

/// The size of the three numbers in bytes.
const HEADER: usize = 12;

impl Partition {
    /// Serialises the partition.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.lists.dim(), self.groups.len(), self.lists()] {
            bytes.extend((number as u32).to_le_bytes());
        }
        bytes.extend(self.starts.iter().flat_map(|start| start.to_le_bytes()));
        bytes.extend(self.radii.iter().flat_map(|radius| radius.to_le_bytes()));
        for points in [&self.groups, &self.lists] {
            let halves = points.values().iter().map(|&value| f16::from_f32(value));
            bytes.extend(halves.flat_map(f16::to_le_bytes));
        }
        bytes
    }

    /// Reads a partition; `None` if the bytes are not a partition of this dimension.
    pub(crate) fn from_bytes(dim: usize, bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let mut counts = numbers(header).map(|number| number as usize);
        let (found, groups, lists) = (counts.next()?, counts.next()?, counts.next()?);
        let whole = length(dim, groups, lists) == Some(bytes.len());
        if found != dim || dim == 0 || groups == 0 || !whole {
            return None;
        }
        let (starts, rest) = rest.split_at_checked(4 * (groups + 1))?;
        let starts: Vec<u32> = numbers(starts).collect();
        let ascending = starts.is_sorted_by(|start, next| start < next);
        if !ascending || starts[0] != 0 || starts[groups] as usize != lists {
            return None;
        }
        let (radii, rest) = rest.split_at_checked(4 * lists)?;
        let radii: Vec<f32> = numbers(radii).map(f32::from_bits).collect();
        let (groups, rest) = rest.split_at_checked(2 * dim * groups)?;
        let (groups, lists) = (points(dim, groups)?, points(dim, rest)?);
        let sound = radii.iter().all(|radius| radius.is_finite() && *radius >= 0.0);
        sound.then_some(Self { groups, starts, lists, radii })
    }
}

/// The total size in bytes; `None` if it overflows.
fn length(dim: usize, groups: usize, lists: usize) -> Option<usize> {
    let values = groups.checked_add(lists)?.checked_mul(dim)?;
    let starts = groups.checked_add(1)?.checked_mul(4)?;
    let radii = lists.checked_mul(4)?;
    values.checked_mul(2)?.checked_add(starts)?.checked_add(radii)?.checked_add(HEADER)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// Reads points from halves; `None` if one is not finite.
fn points(dim: usize, bytes: &[u8]) -> Option<Points> {
    let halves = bytes.chunks_exact(2).map(|two| f16::from_le_bytes([two[0], two[1]]));
    let halves: Vec<f16> = halves.collect();
    let finite = halves.iter().all(|half| half.is_finite());
    finite.then(|| Points::new(dim, halves.to_f32_vec()))
}
