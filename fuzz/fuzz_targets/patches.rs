//! Changes to bytes that are right: most of them stay so.

/// The bytes with patches: each says where it goes, in two bytes, how many bytes it takes away and
/// how many it brings, and has these.
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
