//! The first tokens of a text without a look at its end.
//!
//! The text is tokenised in pieces that end before white space, where words end whatever
//! follows. Where a piece finds no white space, its last word may go on: the words before it are
//! taken and the next piece starts with it. A word that outgrows what the vocabulary can spell is
//! one unknown token; its end is sought with a letter in place of what was read of it.
//!
//! The tokens are those of the whole text. The one exception is a word of more than
//! [`LARGEST`] bytes of which nearly all are marks that the tokenizer drops: it is taken for two.

use std::ops::{Range, RangeInclusive};

use fastlane_engine::Token;
use tokenizers::{Encoding, Error, NormalizedString, Normalizer as _};

use super::Tokeniser;

/// The most bytes that are tokenised at a time.
pub(super) const LARGEST: usize = 16 * 1024;

/// The least.
const SMALLEST: usize = 256;

/// Bytes of text that give one token, taken amply.
const BYTES_PER_TOKEN: usize = 8;

/// A text on its way to tokens.
pub(super) struct Content<'a> {
    tokeniser: &'a Tokeniser,
    text: &'a str,
    /// Everything before is done.
    at: usize,
    tokens: Vec<Token>,
    /// How large a piece is at first.
    sizes: RangeInclusive<usize>,
}

/// A piece of the text, and whether a word surely ends where it ends.
struct Piece {
    bytes: Range<usize>,
    sure: bool,
}

impl<'a> Content<'a> {
    pub(super) fn new(tokeniser: &'a Tokeniser, text: &'a str) -> Self {
        Self { tokeniser, text, at: 0, tokens: Vec::new(), sizes: SMALLEST..=LARGEST }
    }

    /// Cuts smaller pieces, so that short texts are cut too.
    #[cfg(test)]
    pub(super) fn with_pieces(self, size: usize) -> Self {
        Self { sizes: size..=size, ..self }
    }

    /// The first `room` tokens, and how many bytes come after them; 0 if these give no token.
    pub(super) fn first(mut self, room: usize) -> Result<(Vec<Token>, usize), Error> {
        // one token more shows whether anything is left out
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

    /// Goes to the next word; false at the end of the text.
    fn skip_white_space(&mut self) -> bool {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(separates).len();
        self.at < self.text.len()
    }

    /// Takes the tokens of the next piece that are certain.
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

    /// The next piece of at most `size` bytes, but a character at least.
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

    /// Moves a cut to the start of the added token that it goes through.
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

    /// Takes a word that no vocabulary spells, of which the piece is the start.
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

    /// Passes over letters and digits that can only lengthen a word; says whether there were any.
    fn skip_letters(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let letters = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += letters;
        letters > 0
    }

    /// Whether a word has more characters than are spelled.
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

    /// Takes the first tokens of a piece that starts where the text is.
    fn take(&mut self, encoding: &Encoding, count: usize) {
        let parts = encoding.get_ids().iter().zip(encoding.get_tokens());
        for ((&id, text), &(start, end)) in parts.zip(encoding.get_offsets()).take(count) {
            let bytes = Some(self.at + start..self.at + end);
            self.tokens.push(Token { id, text: text.clone(), bytes });
        }
    }
}

/// Whether a character surely ends a word. BERT drops control characters, even if white.
fn separates(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r')
        || (character.is_whitespace() && !character.is_control())
}

/// The first token of the last word; 0 if there is no or only one word.
fn last_word(encoding: &Encoding) -> usize {
    let words = encoding.get_word_ids();
    let same = words.iter().rev().take_while(|&word| Some(word) == words.last()).count();
    words.len() - same
}
