//! Tokenised texts.

use fastlane_model::checkpoint::{InputSettings, TokeniseError, Tokeniser};
use rayon::prelude::*;

/// The tokens of many texts.
#[derive(Debug, Default)]
pub(crate) struct TokenTable {
    ids: Vec<u32>,
    ends: Vec<usize>,
    attended: Vec<usize>,
    /// The number of texts that were cut.
    pub(crate) cut: usize,
}

impl TokenTable {
    /// Tokenises texts on all threads.
    pub(crate) fn new(
        texts: &[String],
        tokeniser: &Tokeniser,
        side: &InputSettings,
    ) -> Result<Self, TokeniseError> {
        let mut table = Self::default();
        // in portions: the library's tokens have strings, which take much more memory
        for texts in texts.chunks(4096) {
            let all: Vec<_> = texts.par_iter().map(|text| tokeniser.encode(text, side)).collect();
            for tokens in all {
                let tokens = tokens?;
                let ids: Vec<u32> = tokens.tokens.iter().map(|token| token.id).collect();
                table.push(&ids, tokens.attended.iter().filter(|&&it| it).count());
                table.cut += usize::from(tokens.cut > 0);
            }
        }
        Ok(table)
    }

    /// Adds a text.
    pub(super) fn push(&mut self, ids: &[u32], attended: usize) {
        self.attended.push(attended);
        self.ids.extend(ids);
        self.ends.push(self.ids.len());
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many tokens all texts have.
    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The index of a text's first token among all tokens.
    pub(crate) fn start(&self, text: u32) -> usize {
        (text as usize).checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The tokens of a text.
    pub(crate) fn of(&self, text: u32) -> &[u32] {
        &self.ids[self.start(text)..self.ends[text as usize]]
    }

    /// The number of attended tokens of a text.
    pub(crate) fn attended(&self, text: u32) -> usize {
        self.attended[text as usize]
    }

    /// The numbers that identify the table: the count of texts, the end of each, all tokens.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let ends = self.ends.iter().map(|&end| end as u32);
        std::iter::once(self.len() as u32).chain(ends).chain(self.ids.iter().copied())
    }

    /// All tokens, text after text.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }
}
