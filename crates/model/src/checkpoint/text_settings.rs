//! The text settings of queries and documents in the layouts of Sentence Transformers.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CheckpointError, Folder, json};
use crate::tokenise::{Expansion, InputSettings, Tokeniser};

/// The file of settings of Sentence Transformers and PyLate.
pub(super) const FILE: &str = "config_sentence_transformers.json";

/// The settings in [`FILE`]; absent ones have their default.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StConfig {
    pub(super) model_type: Option<String>,
    pub(super) similarity_fn_name: Option<String>,
    pub(super) prompts: BTreeMap<String, Option<String>>,
    pub(super) query_prefix: Option<String>,
    pub(super) document_prefix: Option<String>,
    pub(super) query_length: Option<usize>,
    pub(super) document_length: Option<usize>,
    pub(super) do_query_expansion: Option<bool>,
    pub(super) attend_to_expansion_tokens: Option<bool>,
    pub(super) skiplist_words: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fastlane: Option<Mark>,
}

/// The key `fastlane` in the settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) format: u32,
    /// Whether views have unit length.
    pub(super) normalise: bool,
    /// Whether queries have an encoder of their own.
    pub(super) split: bool,
    /// Whether there is a router.
    pub(super) router: bool,
}

impl StConfig {
    /// The prompt under the first of the names that has one.
    pub(super) fn prompt(&self, names: &[&str]) -> String {
        names.iter().find_map(|name| self.prompts.get(*name)?.clone()).unwrap_or_default()
    }
}

/// The names under which the prompt for queries may be stored.
pub(super) const QUERY: [&str; 1] = ["query"];
pub(super) const DOCUMENT: [&str; 3] = ["document", "passage", "corpus"];

/// The settings of the tokenizer that are not in `tokenizer.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenizerConfig {
    /// Some files have 10³⁰ for no limit.
    model_max_length: Option<f64>,
    mask_token: Option<Special>,
}

/// A special token: its spelling, or an object around it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Special {
    Spelling(String),
    Object { content: String },
}

/// The settings of the encoder module.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EncoderConfig {
    max_seq_length: Option<f64>,
    pub(super) query_length: Option<usize>,
    pub(super) document_length: Option<usize>,
    pub(super) query_expansion: Option<ExpansionConfig>,
}

/// Query expansion in the format of Sentence Transformers 6.
#[derive(Debug, Deserialize)]
pub(super) struct ExpansionConfig {
    pub(super) strategy: String,
    #[serde(default)]
    pub(super) attend: bool,
    #[serde(default)]
    pub(super) token: Option<String>,
    pub(super) length: usize,
}

/// Converts settings to `InputSettings`, and refuses invalid ones.
pub(super) struct InputSettingsFiles<'a> {
    pub(super) tokeniser: &'a Tokeniser,
    /// The file of the settings, for the messages.
    pub(super) file: PathBuf,
    pub(super) positions: usize,
    directory: &'a Path,
    tokenizer_config: TokenizerConfig,
    pub(super) encoder_config: EncoderConfig,
}

impl<'a> InputSettingsFiles<'a> {
    pub(super) fn new(
        folder: &'a Folder,
        tokeniser: &'a Tokeniser,
        positions: usize,
    ) -> Result<Self, CheckpointError> {
        let directory = folder.encoder.as_path();
        Ok(Self {
            tokeniser,
            file: folder.path.join(FILE),
            positions,
            directory,
            tokenizer_config: json::read_or_default(&directory.join("tokenizer_config.json"))?,
            encoder_config: json::read_or_default(&directory.join("sentence_bert_config.json"))?,
        })
    }

    /// The default number of tokens of a text.
    pub(super) fn usual_length(&self) -> usize {
        let limits = [self.encoder_config.max_seq_length, self.tokenizer_config.model_max_length];
        // the conversion of a float saturates, so 10³⁰ is harmless
        let limits = limits.into_iter().flatten().map(|limit| limit as usize);
        limits.fold(self.positions, usize::min)
    }

    /// Checks that the length has room for a token, and does not exceed the encoder's.
    pub(super) fn checked(
        &self,
        key: &'static str,
        side: InputSettings,
    ) -> Result<InputSettings, CheckpointError> {
        let least = self.tokeniser.special_tokens() + usize::from(side.prefix.is_some()) + 1;
        if (least..=self.positions).contains(&side.length) {
            return Ok(side);
        }
        Err(CheckpointError::Setting {
            path: self.file.clone(),
            key,
            found: side.length.to_string(),
            wanted: format!("between {least} and {}", self.positions),
        })
    }

    /// Splits a prefix into the token that represents it, if there is one, and the remaining text.
    ///
    /// PyLate stores `"[Q] "`, with its space, as a token; Stanford `"[unused0]"`.
    pub(super) fn prefix(&self, prefix: &str) -> (Option<u32>, String) {
        let word = prefix.split_whitespace().next().unwrap_or_default();
        for token in [prefix, word].into_iter().filter(|token| !token.is_empty()) {
            if let Some(id) = self.tokeniser.id(token) {
                let after = prefix.trim_start().trim_start_matches(token).trim_start();
                return (Some(id), if token == prefix { String::new() } else { after.to_owned() });
            }
        }
        (None, prefix.to_owned())
    }

    /// The ids of words; a word that is not a token is skipped.
    pub(super) fn ids(&self, words: &[String]) -> HashSet<u32> {
        words.iter().filter_map(|word| self.tokeniser.id(word)).collect()
    }

    /// Pads queries to `length` with `token`, or with the mask token.
    pub(super) fn expansion(
        &self,
        token: Option<&str>,
        length: usize,
        attended: bool,
    ) -> Result<Expansion, CheckpointError> {
        let mask = match &self.tokenizer_config.mask_token {
            Some(Special::Spelling(mask) | Special::Object { content: mask }) => mask.as_str(),
            None => "[MASK]",
        };
        let word = token.unwrap_or(mask);
        let token = self.tokeniser.id(word).ok_or_else(|| CheckpointError::NoToken {
            path: self.directory.join("tokenizer.json"),
            token: word.to_owned(),
        })?;
        Ok(Expansion { token, length, attended })
    }
}

/// ASCII punctuation: the default skip list of PyLate and ColBERT.
pub(super) fn punctuation() -> Vec<String> {
    (0_u8..128).filter(u8::is_ascii_punctuation).map(|byte| char::from(byte).to_string()).collect()
}
