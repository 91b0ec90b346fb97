//! A set of a segment's documents, one bit each.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    len: u32,
    words: Vec<u64>,
}

impl Bits {
    pub(super) fn new(len: u32) -> Self {
        Bits { len, words: vec![0; len.div_ceil(64) as usize] }
    }

    /// Counts the documents of the segment, in the set or not.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn insert(&mut self, doc: u32) {
        self.words[doc as usize / 64] |= 1 << (doc % 64);
    }

    pub(super) fn contains(&self, doc: u32) -> bool {
        self.words[doc as usize / 64] >> (doc % 64) & 1 == 1
    }

    pub(super) fn intersect(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    pub(super) fn unite(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    pub(super) fn complement(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if !self.len.is_multiple_of(64) {
            let last = self.words.last_mut().expect("a length above 0 has words");
            *last &= (1 << (self.len % 64)) - 1;
        }
        self
    }

    /// The first document in the set that is not before `from`.
    pub(super) fn next(&self, from: u32) -> Option<u32> {
        let first = from as usize / 64;
        let ahead = self.words.get(first)? & (!0 << (from % 64));
        let rest = self.words[first + 1..].iter().copied();
        let (skipped, word) =
            std::iter::once(ahead).chain(rest).enumerate().find(|(_, word)| *word != 0)?;
        Some((first + skipped) as u32 * 64 + word.trailing_zeros())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.next(0), |doc| self.next(doc + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complement_and_next_respect_the_length() {
        let mut bits = Bits::new(130);
        [3, 64, 129].into_iter().for_each(|doc| bits.insert(doc));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [3, 64, 129]);
        assert_eq!((bits.next(65), bits.next(130), bits.next(1000)), (Some(129), None, None));
        let others = bits.clone().complement();
        assert_eq!(others.iter().count(), 127);
        assert!(!others.contains(64) && others.contains(128));
        assert_eq!(others.complement(), bits);
    }
}
