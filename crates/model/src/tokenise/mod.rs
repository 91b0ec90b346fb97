//! Text to tokens, identical to Sentence Transformers and PyLate for the same checkpoint.
//!
//! ```text
//! [CLS] [Q] what is a light ##house ? [SEP] [MASK] [MASK] …
//! ```
//!
//! A *side* (query or document) has settings for what surrounds the text: a prefix token after the
//! first special token, a prompt that is read with the text, expansion tokens at the end of a short
//! query, and a skip list of tokens that give no view of a document. Its length limits all tokens,
//! including skipped ones; a longer text is cut at the end, and the number of cut bytes is
//! returned.
//!
//! Text is read piece by piece ([`Content`]) until there are enough tokens, so that the end of a
//! text of 10 MB costs nothing.

mod pieces;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fastlane_engine::Token;
use serde_json::Value;
use tokenizers::{ModelWrapper, Tokenizer};

use crate::error::CheckpointError;
use crate::json::read_bytes;
use pieces::Content;

/// A WordPiece vocabulary and the rules around it, read from `tokenizer.json`.
#[derive(Debug)]
pub struct Tokeniser {
    tokenizer: Tokenizer,
    path: PathBuf,
    /// The BLAKE3 hash of the file.
    digest: [u8; 32],
    /// The special tokens before a text.
    before: Vec<Token>,
    /// The special tokens after a text.
    after: Vec<Token>,
    /// The unknown token, for words that the vocabulary cannot spell.
    unknown: Token,
    /// Longer words are unknown, in characters.
    longest_word: usize,
    /// Tokens that are matched before the text is split into words.
    added: Vec<String>,
}

/// The settings by which a query or a document is tokenised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputSettings {
    /// The token after the first special token: `[Q]` or `[D]`.
    pub prefix: Option<u32>,
    /// A text that is put before every text.
    pub prompt: String,
    /// The largest number of tokens, special ones and the prefix included.
    pub length: usize,
    /// The padding of a short text.
    pub expansion: Option<Expansion>,
    /// The tokens that give no view.
    pub skip: HashSet<u32>,
}

/// Padding tokens at the end of a short query, in which the encoder adds terms to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expansion {
    /// The token, usually `[MASK]`.
    pub token: u32,
    /// The total number of tokens after padding.
    pub length: usize,
    /// Whether other tokens attend to it. If not, it only attends to them.
    pub attended: bool,
}

/// The tokens of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// All tokens, including prefix, special and expansion tokens.
    pub tokens: Vec<Token>,
    /// For each token, whether others attend to it.
    pub attended: Vec<bool>,
    /// For each token, whether it gives a view.
    pub kept: Vec<bool>,
    /// The number of bytes at the end of the text that were cut.
    pub cut: usize,
}

/// A text could not be tokenised.
#[derive(Debug, thiserror::Error)]
#[error("cannot split a text of {bytes} bytes into tokens")]
pub struct TokeniseError {
    /// The bytes of the text.
    pub bytes: usize,
    /// The tokenizer's error.
    pub source: tokenizers::Error,
}

impl Tokeniser {
    /// Reads `tokenizer.json` for an embedding table of `vocabulary` rows.
    ///
    /// Padding and truncation in the file are ignored; [`InputSettings`] has ours.
    ///
    /// # Errors
    ///
    /// The file is absent or damaged, is not a WordPiece tokenizer that splits at white space as
    /// BERT's does, or has an id that is not in the table.
    pub fn open(path: &Path, vocabulary: usize) -> Result<Self, CheckpointError> {
        let bytes = read_bytes(path)?;
        let broken = |source| CheckpointError::Tokenizer { path: path.to_owned(), source };
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(broken)?;
        tokenizer.with_padding(None).with_truncation(None).map_err(broken)?;
        let ModelWrapper::WordPiece(model) = tokenizer.get_model() else {
            return Err(refuse(path, "model", kind(&tokenizer.get_model()), "WordPiece"));
        };
        let (unknown, longest_word) = (model.unk_token.clone(), model.max_input_chars_per_word);
        check_rules(path, &tokenizer)?;
        check_ids(path, &tokenizer, vocabulary)?;
        let (before, after) = surroundings(&tokenizer).map_err(broken)?;
        let unknown = named(path, &tokenizer, &unknown)?;
        let added = added_tokens(&tokenizer);
        let (path, digest) = (path.to_owned(), blake3::hash(&bytes).into());
        Ok(Self { tokenizer, path, digest, before, after, unknown, longest_word, added })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The BLAKE3 hash of the file as it was read.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The id of a token, if there is one with that spelling.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// The spelling of a token, if there is one with that id.
    pub fn spelling(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// The number of special tokens around every text.
    pub fn special_tokens(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The number of tokens of a text, however long it is, without special tokens.
    pub fn count(&self, text: &str) -> usize {
        // a text that the tokenizer fails on fails when it is encoded, too
        self.tokenizer.encode_fast(text, false).map_or(0, |encoding| encoding.len())
    }

    /// Tokenises a text. An empty text gives the special tokens.
    ///
    /// # Errors
    ///
    /// The tokenizer fails on the text, which BERT's does not.
    pub fn encode(&self, text: &str, side: &InputSettings) -> Result<Tokens, TokeniseError> {
        let prefix = side.prefix.map(|id| self.token(id));
        let around = self.special_tokens() + usize::from(prefix.is_some());
        let room = side.length.saturating_sub(around);
        let (content, cut) = self
            .content(text, &side.prompt, room)
            .map_err(|source| TokeniseError { bytes: text.len(), source })?;
        // PyLate puts the prefix after the first token, whatever that is
        let mut tokens: Vec<Token> =
            self.before.iter().chain(content.iter()).chain(&self.after).cloned().collect();
        if let Some(prefix) = prefix {
            tokens.insert(tokens.len().min(1), prefix);
        }
        let mut attended = vec![true; tokens.len()];
        let mut kept: Vec<bool> = tokens.iter().map(|t| !side.skip.contains(&t.id)).collect();
        if let Some(expansion) = side.expansion {
            let all = tokens.len().max(expansion.length);
            tokens.resize(all, self.token(expansion.token));
            attended.resize(all, expansion.attended);
            kept.resize(all, true);
        }
        Ok(Tokens { tokens, attended, kept, cut })
    }

    /// The first `room` tokens of the text, and the bytes of the text after them.
    fn content(
        &self,
        text: &str,
        prompt: &str,
        room: usize,
    ) -> Result<(Vec<Token>, usize), tokenizers::Error> {
        if prompt.is_empty() {
            return Content::new(self, text).first(room);
        }
        let whole = format!("{prompt}{text}");
        let (mut tokens, cut) = Content::new(self, &whole).first(room)?;
        for token in &mut tokens {
            token.bytes = token.bytes.take().and_then(|bytes| {
                let start = bytes.start.checked_sub(prompt.len())?;
                Some(start..bytes.end - prompt.len())
            });
        }
        Ok((tokens, cut.min(text.len())))
    }

    fn token(&self, id: u32) -> Token {
        let text = self.tokenizer.id_to_token(id).unwrap_or_default();
        Token { id, text, bytes: None }
    }
}

/// Finds the special tokens around a text by encoding a single token.
fn surroundings(tokenizer: &Tokenizer) -> Result<(Vec<Token>, Vec<Token>), tokenizers::Error> {
    let bare = tokenizer.encode("a", false)?;
    let whole = tokenizer.post_process(bare, None, true)?;
    let special = whole.get_special_tokens_mask();
    let token = |at: usize| Token {
        id: whole.get_ids()[at],
        text: whole.get_tokens()[at].clone(),
        bytes: None,
    };
    let leading = special.iter().take_while(|&&flag| flag == 1).count();
    let trailing = special.iter().rev().take_while(|&&flag| flag == 1).count();
    let all = special.len();
    let trailing = trailing.min(all - leading);
    Ok(((0..leading).map(token).collect(), (all - trailing..all).map(token).collect()))
}

fn named(path: &Path, tokenizer: &Tokenizer, token: &str) -> Result<Token, CheckpointError> {
    let id = tokenizer.token_to_id(token).ok_or_else(|| CheckpointError::NoToken {
        path: path.to_owned(),
        token: token.to_owned(),
    })?;
    Ok(Token { id, text: token.to_owned(), bytes: None })
}

fn added_tokens(tokenizer: &Tokenizer) -> Vec<String> {
    let tokens = tokenizer.get_added_tokens_decoder();
    let mut added: Vec<String> = tokens.into_values().map(|token| token.content).collect();
    added.retain(|token| !token.is_empty());
    added.sort_unstable();
    added
}

/// Checks that every id has a row in the embedding table.
fn check_ids(path: &Path, tokenizer: &Tokenizer, vocabulary: usize) -> Result<(), CheckpointError> {
    let highest =
        tokenizer.get_vocab(true).into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
    match highest {
        Some((token, id)) if id as usize >= vocabulary => {
            Err(CheckpointError::TokenBeyond { path: path.to_owned(), token, id, vocabulary })
        }
        _ => Ok(()),
    }
}

/// Checks that words are separated exactly by white space: the text is cut there.
fn check_rules(path: &Path, tokenizer: &Tokenizer) -> Result<(), CheckpointError> {
    const SPLITS: [&str; 3] = ["BertPreTokenizer", "Whitespace", "WhitespaceSplit"];
    const CHANGES: [&str; 7] =
        ["BertNormalizer", "Lowercase", "StripAccents", "NFC", "NFD", "NFKC", "NFKD"];
    let split = json(&tokenizer.get_pre_tokenizer());
    let change = json(&tokenizer.get_normalizer());
    if let Some(found) = first_unknown(&split, &SPLITS, true) {
        return Err(refuse(path, "pre_tokenizer", found, &SPLITS.join(", ")));
    }
    match first_unknown(&change, &CHANGES, false) {
        Some(found) => Err(refuse(path, "normalizer", found, &CHANGES.join(", "))),
        None => Ok(()),
    }
}

/// The first rule that is not among the known ones; sequences are searched.
fn first_unknown(rule: &Value, known: &[&str], needed: bool) -> Option<String> {
    match rule["type"].as_str() {
        None if rule.is_null() && !needed => None,
        None => Some("absent".to_owned()),
        Some("Sequence") => {
            let parts = rule["normalizers"].as_array().or(rule["pretokenizers"].as_array());
            parts.into_iter().flatten().find_map(|part| first_unknown(part, known, needed))
        }
        Some(name) => (!known.contains(&name)).then(|| format!("`{name}`")),
    }
}

fn json(rule: &impl serde::Serialize) -> Value {
    serde_json::to_value(rule).unwrap_or_default()
}

fn kind(model: &impl serde::Serialize) -> String {
    let value = json(model);
    format!("`{}`", value["type"].as_str().unwrap_or("unnamed"))
}

fn refuse(path: &Path, key: &'static str, found: String, wanted: &str) -> CheckpointError {
    CheckpointError::Setting { path: path.to_owned(), key, found, wanted: wanted.to_owned() }
}

#[cfg(test)]
mod tests;
