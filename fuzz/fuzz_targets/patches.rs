//! Patches of valid bytes: most of the bytes stay valid.

/// Applies patches. Each has its offset in two bytes, the number of bytes to remove, the number of
/// bytes to insert, and these bytes.
pub fn patched(right: &[u8], mut patches: &[u8]) -> Vec<u8> {
    let mut bytes = right.to_vec();
    while let [low, high, less, more, rest @ ..] = patches {
        let at = usize::from(u16::from_le_bytes([*low, *high])) % (bytes.len() + 1);
        let end = bytes.len().min(at + usize::from(*less));
        let (new, rest) = rest.split_at(rest.len().min((*more).into()));
        bytes.splice(at..end, new.iter().copied());
        patches = rest;
    }
    bytes
}
