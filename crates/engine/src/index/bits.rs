//! A set of documents, one bit each.

/// A set of numbers below a limit, as a bit set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    /// The empty set.
    pub(crate) fn new(limit: usize) -> Self {
        Self { words: vec![0; limit.div_ceil(64)], count: 0 }
    }

    /// The set whose bits are given as words; bits beyond the limit are cleared.
    pub(crate) fn of(limit: usize, mut words: Vec<u64>) -> Self {
        if let (Some(last), rest @ 1..) = (words.last_mut(), limit % 64) {
            *last &= (1 << rest) - 1;
        }
        let count = words.iter().map(|word| word.count_ones() as usize).sum();
        Self { words, count }
    }

    pub(crate) fn has(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Adds a number, which must be below the limit, and returns whether it is new.
    pub(crate) fn add(&mut self, number: usize) -> bool {
        let new = !self.has(number);
        self.words[number / 64] |= 1 << (number % 64);
        self.count += usize::from(new);
        new
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_by_hand() {
        let mut bits = Bits::new(70);
        assert!(bits.add(3) && bits.add(69) && !bits.add(3));
        assert_eq!(
            (bits.count(), bits.has(69), bits.has(68), bits.has(1000)),
            (2, true, false, false)
        );
        // 6 bits of the second word count
        assert_eq!(Bits::of(70, vec![0b1000, u64::MAX]).count(), 7);
        assert_eq!(bits.bytes()[..2], [8, 0]);
    }
}
