//! The rows of each text in a table: all tokens of a batch are concatenated, without padding.

use std::ops::Range;
use std::sync::Arc;

/// The row ranges of consecutive texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    ends: Arc<[usize]>,
}

impl Spans {
    /// The ranges of consecutive texts of the given lengths.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        let ends = lengths.into_iter().map(|length| {
            end += length;
            end
        });
        Self { ends: ends.collect() }
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// How many rows they have together.
    pub fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The rows of a text.
    pub fn of(&self, text: usize) -> Range<usize> {
        text.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[text]
    }

    /// The rows of each text.
    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        (0..self.count()).map(|text| self.of(text))
    }

    /// The most rows of a text.
    pub fn longest(&self) -> usize {
        self.iter().map(|span| span.len()).max().unwrap_or(0)
    }

    /// For a table padded to the longest text: the index of the row to copy, or the first row of
    /// all for padding.
    pub fn padded(&self) -> Vec<usize> {
        let longest = self.longest();
        let place = |span: Range<usize>| {
            (0..longest).map(move |at| if at < span.len() { span.start + at } else { 0 })
        };
        self.iter().flat_map(place).collect()
    }

    /// The position of each row in the padded table.
    pub fn places(&self) -> Vec<usize> {
        let longest = self.longest();
        let row = |(text, span): (usize, Range<usize>)| {
            (0..span.len()).map(move |at| text * longest + at)
        };
        self.iter().enumerate().flat_map(row).collect()
    }

    /// Which rows of the padded table are not padding.
    pub fn real(&self) -> Vec<bool> {
        let longest = self.longest();
        self.iter().flat_map(|span| (0..longest).map(move |at| at < span.len())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_by_hand() {
        let spans = Spans::new([2, 0, 3]);
        assert_eq!((spans.count(), spans.rows(), spans.longest()), (3, 5, 3));
        assert_eq!(spans.iter().collect::<Vec<_>>(), [0..2, 2..2, 2..5]);
        assert_eq!(spans.padded(), [0, 1, 0, 0, 0, 0, 2, 3, 4]);
        assert_eq!(spans.places(), [0, 1, 6, 7, 8]);
        let real: Vec<u8> = spans.real().into_iter().map(u8::from).collect();
        assert_eq!(real, [1, 1, 0, 0, 0, 0, 1, 1, 1]);
    }
}
