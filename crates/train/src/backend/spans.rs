//! Where texts lie among rows: all tokens of a batch stand in one table, without padding.

use std::ops::Range;
use std::sync::Arc;

/// The rows of each text, one text after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    ends: Arc<[usize]>,
}

impl Spans {
    /// Lays texts of some lengths one after the other.
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

    /// For a table in which each text has as many rows as the longest: the row to copy, the first
    /// of all where there is none.
    pub fn padded(&self) -> Vec<usize> {
        let longest = self.longest();
        let place = |span: Range<usize>| {
            (0..longest).map(move |at| if at < span.len() { span.start + at } else { 0 })
        };
        self.iter().flat_map(place).collect()
    }

    /// For each row the place it has in the padded table.
    pub fn places(&self) -> Vec<usize> {
        let longest = self.longest();
        let row = |(text, span): (usize, Range<usize>)| {
            (0..span.len()).map(move |at| text * longest + at)
        };
        self.iter().enumerate().flat_map(row).collect()
    }

    /// Which rows of the padded table are real.
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
