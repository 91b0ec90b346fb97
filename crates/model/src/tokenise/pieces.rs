//! Reads the first tokens of a text without reading all of it.
//!
//! The text is tokenised in pieces that end before white space, where words end whatever follows.
//! If a piece has no white space at its end, its last word may continue: the words before it are
//! taken and the next piece starts with it. A word that is longer than the vocabulary can spell is
//! one unknown token; its end is searched with a letter in place of what was read of it.
//!
//! The tokens are those of the whole text. The one exception is a word of more than [`LARGEST`]
//! bytes of which nearly all are marks that the tokenizer drops: it counts as two words.

use std::ops::{Range, RangeInclusive};

use fastlane_engine::Token;
use tokenizers::{Encoding, Error, NormalizedString, Normalizer as _};

use super::Tokeniser;

/// The largest piece in bytes.
pub(super) const LARGEST: usize = 16 * 1024;

/// The smallest piece in bytes.
const SMALLEST: usize = 256;

/// A generous estimate of the bytes of text per token.
const BYTES_PER_TOKEN: usize = 8;

/// A text that is being tokenised.
pub(super) struct Content<'a> {
    tokeniser: &'a Tokeniser,
    text: &'a str,
    /// The offset of the text that is not tokenised yet.
    at: usize,
    tokens: Vec<Token>,
    /// The size range of a first piece.
    sizes: RangeInclusive<usize>,
}

/// A piece of the text, and whether its end is certainly the end of a word.
struct Piece {
    bytes: Range<usize>,
    sure: bool,
}

impl<'a> Content<'a> {
    pub(super) fn new(tokeniser: &'a Tokeniser, text: &'a str) -> Self {
        Self { tokeniser, text, at: 0, tokens: Vec::new(), sizes: SMALLEST..=LARGEST }
    }

    /// Uses smaller pieces, so that tests cut short texts too.
    #[cfg(test)]
    pub(super) fn with_pieces(self, size: usize) -> Self {
        Self { sizes: size..=size, ..self }
    }

    /// The first `room` tokens, and the number of bytes after them; 0 if these give no token.
    pub(super) fn first(mut self, room: usize) -> Result<(Vec<Token>, usize), Error> {
        // one more token shows whether anything is cut
        while self.tokens.len() <= room && self.skip_white_space() {
            let missing = room + 1 - self.tokens.len();
            let size = missing.saturating_mul(BYTES_PER_TOKEN);
            self.advance(size.clamp(*self.sizes.start(), *self.sizes.end()))?;
        }
        let over = self.tokens.len() > room;
        self.tokens.truncate(room);
        let end = self.tokens.last().and_then(|token| token.bytes.as_ref()).map_or(0, |b| b.end);
        Ok((self.tokens, if over { self.text.len() - end } else { 0 }))
    }

    /// Moves to the next word; returns false at the end of the text.
    fn skip_white_space(&mut self) -> bool {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(separates).len();
        self.at < self.text.len()
    }

    /// Takes the tokens of the next piece that are final.
    fn advance(&mut self, size: usize) -> Result<(), Error> {
        let piece = self.piece(size);
        let encoding = self.encode(&self.text[piece.bytes.clone()])?;
        if piece.sure {
            self.take(&encoding, encoding.len());
            self.at = piece.bytes.end;
            return Ok(());
        }
        let last_word = last_word(&encoding);
        match encoding.get_offsets().get(last_word) {
            None => self.at = piece.bytes.end,
            Some(&(start, _)) if last_word > 0 => {
                self.take(&encoding, last_word);
                self.at += start;
            }
            Some(_) if self.is_long(&self.text[piece.bytes.clone()])? => self.long_word(&piece)?,
            Some(_) if size < LARGEST => {
                return self.advance(size.saturating_mul(2).min(LARGEST));
            }
            Some(_) => {
                self.take(&encoding, encoding.len());
                self.at = piece.bytes.end;
            }
        }
        Ok(())
    }

    /// The next piece of at most `size` bytes, but at least one character.
    fn piece(&self, size: usize) -> Piece {
        let left = &self.text[self.at..];
        if left.len() <= size {
            return Piece { bytes: self.at..self.text.len(), sure: true };
        }
        let first = left.chars().next().map_or(0, char::len_utf8);
        let limit = left.floor_char_boundary(size).max(first);
        // a word ends at the limit, too, if white space follows it
        let reach = left[limit..].chars().next().map_or(0, char::len_utf8);
        let space = left[..limit + reach].rfind(separates).filter(|&at| at > 0);
        for (cut, sure) in [(space, true), (Some(limit), false)] {
            let Some(wanted) = cut.map(|cut| self.at + cut) else { continue };
            let end = self.outside_added_tokens(wanted);
            if end > self.at {
                return Piece { bytes: self.at..end, sure: sure && end == wanted };
            }
        }
        // an added token starts here and goes through the limit
        self.piece(size.saturating_mul(2).max(2))
    }

    /// Moves a cut inside an added token to its start.
    fn outside_added_tokens(&self, cut: usize) -> usize {
        let bytes = self.text.as_bytes();
        let through = |token: &String| {
            let token = token.as_bytes();
            (cut.saturating_sub(token.len() - 1)..cut).find(|&start| {
                let found = bytes.get(start..start + token.len());
                found.is_some_and(|found| found.eq_ignore_ascii_case(token))
            })
        };
        let starts = self.tokeniser.added.iter().filter_map(through);
        starts.filter(|&start| self.text.is_char_boundary(start)).min().unwrap_or(cut)
    }

    /// Takes a word that is too long for the vocabulary; the piece is its start.
    fn long_word(&mut self, piece: &Piece) -> Result<(), Error> {
        const LETTER: &str = "a";
        let encoding = self.encode(&self.text[piece.bytes.clone()])?;
        let (start, stop) = encoding.get_offsets()[0];
        let (word, mut end) = (self.at + start, self.at + stop);
        self.at = piece.bytes.end;
        while self.at < self.text.len() {
            end = if self.skip_letters() { self.at } else { end };
            if self.text[self.at..].starts_with(separates) {
                break;
            }
            let next = self.piece(*self.sizes.end());
            let probe = format!("{LETTER}{}", &self.text[next.bytes.clone()]);
            let encoding = self.encode(&probe)?;
            let words = encoding.get_word_ids();
            let same = words.iter().take_while(|&word| *word == words[0]).count();
            let read = encoding.get_offsets()[same - 1].1 - LETTER.len();
            if read > 0 {
                end = self.at + read;
            }
            if same < encoding.len() || next.sure {
                self.at = end;
                break;
            }
            self.at = next.bytes.end;
        }
        let unknown = self.tokeniser.unknown.clone();
        self.tokens.push(Token { bytes: Some(word..end), ..unknown });
        Ok(())
    }

    /// Skips letters and digits that can only lengthen a word; returns whether there were any.
    fn skip_letters(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let letters = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += letters;
        letters > 0
    }

    /// Whether a word has more characters than the vocabulary can spell.
    fn is_long(&self, word: &str) -> Result<bool, Error> {
        let mut word = NormalizedString::from(word);
        if let Some(normalizer) = self.tokeniser.tokenizer.get_normalizer() {
            normalizer.normalize(&mut word)?;
        }
        Ok(word.get().trim().chars().count() > self.tokeniser.longest_word)
    }

    fn encode(&self, text: &str) -> Result<Encoding, Error> {
        self.tokeniser.tokenizer.encode(text, false)
    }

    /// Takes the first tokens of a piece that starts at the current offset.
    fn take(&mut self, encoding: &Encoding, count: usize) {
        let parts = encoding.get_ids().iter().zip(encoding.get_tokens());
        for ((&id, text), &(start, end)) in parts.zip(encoding.get_offsets()).take(count) {
            let bytes = Some(self.at + start..self.at + end);
            self.tokens.push(Token { id, text: text.clone(), bytes });
        }
    }
}

/// Whether a character certainly ends a word. BERT drops control characters, even white ones.
fn separates(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r')
        || (character.is_whitespace() && !character.is_control())
}

/// The index of the first token of the last word; 0 if there are fewer than two words.
fn last_word(encoding: &Encoding) -> usize {
    let words = encoding.get_word_ids();
    let same = words.iter().rev().take_while(|&word| Some(word) == words.last()).count();
    words.len() - same
}
