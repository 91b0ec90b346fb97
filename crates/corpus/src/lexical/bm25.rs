//! BM25 as Lucene scores it, with `k1` and `b` chosen at search time.
//!
//! ```text
//! score(q, d) = Σ over words t of q   idf(t) · tf / (tf + k1 · (1 - b + b · |d| / avg))
//! idf(t)      = ln(1 + (N - df + ½) / (df + ½))
//! ```
//!
//! `tf` counts `t` in `d`, `df` the documents with `t`, `N` all documents; a word that the query
//! repeats counts as often. Deleted documents are in none of these figures.
//!
//! `|d|` is the length in words as the index keeps it, in one byte: exact up to 40, then rounded
//! down by at most an eighth, as in Lucene. `avg` is the mean of these rounded lengths (Lucene's
//! is of the exact ones), because that mean follows from the surviving documents alone and so
//! does not depend on which segments were merged when. It moves scores in the third digit.

/// Far above any use, and far below where a score would vanish in 32 bits and its document with it.
const HIGHEST_K1: f32 = 1000.0;

/// The parameters of BM25: `k1` for repetition, `b` for length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bm25 {
    k1: f32,
    b: f32,
}

impl Default for Bm25 {
    /// Anserini's 0.9 and 0.4, with which most published baselines are made.
    fn default() -> Self {
        Bm25 { k1: 0.9, b: 0.4 }
    }
}

/// Why two numbers cannot be BM25's parameters.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Bm25Error {
    /// `k1` is negative, or so large that scores vanish.
    #[error("k1 of bm25 is {found}, wanted a number from 0 to {HIGHEST_K1}")]
    K1 {
        /// The value given.
        found: f32,
    },
    /// `b` is not between 0 and 1.
    #[error("b of bm25 is {found}, wanted a number from 0 to 1")]
    B {
        /// The value given.
        found: f32,
    },
}

impl Bm25 {
    /// Weighs repetition by `k1` (0: a word counts once) and length by `b` (0: not at all).
    ///
    /// # Errors
    ///
    /// `k1` must be between 0 and 1000, `b` between 0 and 1.
    pub fn new(k1: f32, b: f32) -> Result<Self, Bm25Error> {
        if !(0.0..=HIGHEST_K1).contains(&k1) {
            return Err(Bm25Error::K1 { found: k1 });
        }
        if !(0.0..=1.0).contains(&b) {
            return Err(Bm25Error::B { found: b });
        }
        Ok(Bm25 { k1, b })
    }

    /// How repetition is weighed.
    pub fn k1(self) -> f32 {
        self.k1
    }

    /// How length is weighed.
    pub fn b(self) -> f32 {
        self.b
    }

    /// `k1 · (1 - b + b · length / average)`, what `tf` is weighed against.
    pub(super) fn damping(self, length: u32, average: f64) -> f32 {
        let (k1, b) = (f64::from(self.k1), f64::from(self.b));
        (k1 * (1.0 - b + b * f64::from(length) / average)) as f32
    }
}

pub(super) fn idf(documents: u64, with_word: u64) -> f64 {
    let (n, df) = (documents as f64, with_word as f64);
    (1.0 + (n - df + 0.5) / (df + 0.5)).ln()
}

/// The share of a word's weight for `tf` occurrences: below 1, and rising with `tf`.
pub(super) fn saturation(tf: u32, damping: f32) -> f32 {
    let tf = tf as f32;
    tf / (tf + damping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_match_numbers_worked_by_hand() {
        // ln(1 + (3 - 1 + 0.5) / (1 + 0.5)) = ln(2.6667)
        assert!((idf(3, 1) - 0.980_829).abs() < 1e-6);
        // 0.9 · (1 - 0.4 + 0.4 · 4 / 2) = 0.9 · 1.4 = 1.26, then 2 / (2 + 1.26)
        let damping = Bm25::default().damping(4, 2.0);
        assert!((damping - 1.26).abs() < 1e-6);
        assert!((saturation(2, damping) - 0.613_497).abs() < 1e-6);
    }

    #[test]
    fn no_document_is_lost_to_a_high_k1() {
        let bm25 = Bm25::new(HIGHEST_K1, 1.0).unwrap();
        // The longest length there is, in an index of 2^32 documents with one word in all.
        let damping = bm25.damping(2_013_265_944, 1.0 / 4_294_967_296.0);
        let rarest_gain = idf(u64::from(u32::MAX), u64::from(u32::MAX)) as f32;
        assert!(damping.is_finite() && rarest_gain * saturation(1, damping) > 0.0);
    }

    #[test]
    fn parameters_are_checked() {
        assert_eq!(Bm25::new(0.9, 0.4), Ok(Bm25::default()));
        let said = |k1, b| Bm25::new(k1, b).unwrap_err().to_string();
        insta::assert_snapshot!(said(-1.0, 0.4), @"k1 of bm25 is -1, wanted a number from 0 to 1000");
        insta::assert_snapshot!(said(f32::INFINITY, 0.4), @"k1 of bm25 is inf, wanted a number from 0 to 1000");
        insta::assert_snapshot!(said(1000.1, 0.4), @"k1 of bm25 is 1000.1, wanted a number from 0 to 1000");
        insta::assert_snapshot!(said(0.9, f32::NAN), @"b of bm25 is NaN, wanted a number from 0 to 1");
    }
}
