//! The journal of resumable work: its settings and its progress.
//!
//! Its format is read first. In format 1, which does not name itself, the model's fingerprint has
//! 16 digits; such work is continued, and the next entry has format 2.

use std::io;
use std::path::{Path, PathBuf};

use fastlane_engine::WriteProgress;
use serde::{Deserialize, Serialize};

use super::PartialError;

/// The format that is written.
pub(super) const FORMAT: u32 = 2;
/// The formats that are read.
pub(super) const FORMATS: &str = "1 to 2";

/// The settings that must not change while the work is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WorkSettings {
    /// What the texts are: documents or queries.
    pub(crate) side: String,
    /// The instructions that the model computes with: others round differently.
    pub(crate) instructions: String,
    /// Where the model was.
    pub(crate) model: PathBuf,
    /// The fingerprint of the model.
    pub(crate) fingerprint: String,
    /// A fingerprint of the views of a sample: another version of this program may compute them
    /// differently.
    pub(crate) sample: String,
}

impl WorkSettings {
    /// The first setting that differs: its name and both values.
    pub(super) fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let model = |begun: &Self| format!("{} ({})", begun.model.display(), begun.fingerprint);
        if self.side != other.side {
            return Some(("texts", self.side.clone(), other.side.clone()));
        }
        if self.instructions != other.instructions {
            return Some(("precision", self.instructions.clone(), other.instructions.clone()));
        }
        if self.fingerprint != other.fingerprint {
            return Some(("model", model(self), model(other)));
        }
        (self.sample != other.sample).then(|| {
            (
                "another version of fastlane, with sample views",
                self.sample.clone(),
                other.sample.clone(),
            )
        })
    }
}

/// The progress of the work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct WorkProgress {
    /// How many texts.
    pub(crate) texts: u64,
    /// How many token views these have.
    pub(crate) views: u64,
    /// How many lane views.
    pub(crate) lanes: u64,
    /// The bytes of their ids.
    pub(crate) id_bytes: u64,
    /// The fingerprint of the texts and their ids.
    pub(crate) fingerprint: String,
    /// How many texts were too long.
    pub(crate) cut_texts: u64,
    /// How many bytes these lost.
    pub(crate) cut_bytes: u64,
    /// How many bytes the longest lost.
    pub(crate) cut_most: u64,
}

impl WorkProgress {
    pub(crate) fn written(&self) -> WriteProgress {
        let Self { texts, views, lanes, id_bytes, .. } = *self;
        WriteProgress { texts, views, lanes, id_bytes }
    }

    /// The same with what the files have by now.
    pub(crate) fn at(self, WriteProgress { texts, views, lanes, id_bytes }: WriteProgress) -> Self {
        Self { texts, views, lanes, id_bytes, ..self }
    }

    /// Remembers how much of a text was cut off.
    pub(crate) fn count_cut(&mut self, bytes: u64) {
        self.cut_texts += u64::from(bytes > 0);
        self.cut_bytes += bytes;
        self.cut_most = self.cut_most.max(bytes);
    }
}

/// The content of the journal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Journal {
    #[serde(default = "first")]
    pub(super) format: u32,
    pub(super) begun: WorkSettings,
    pub(super) done: WorkProgress,
}

/// The part of a journal that every format has.
#[derive(Deserialize)]
struct Version {
    #[serde(default = "first")]
    format: u32,
}

fn first() -> u32 {
    1
}

impl Journal {
    /// Reads a journal, if there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, PartialError> {
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| PartialError::Read { path: path.to_owned(), source })?,
        };
        let broken = |source| PartialError::Journal { path: path.to_owned(), source };
        match serde_json::from_slice::<Version>(&text).map_err(broken)?.format {
            1..=FORMAT => serde_json::from_slice(&text).map(Some).map_err(broken),
            found => Err(PartialError::Format { path: path.to_owned(), found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let begun = |side: &str, instructions: &str, model: &str, fingerprint: &str| WorkSettings {
            side: side.to_owned(),
            instructions: instructions.to_owned(),
            model: model.into(),
            fingerprint: fingerprint.to_owned(),
            sample: "7".to_owned(),
        };
        let first = begun("documents", "AMX bf16", "a", "1");
        let said = |other: &WorkSettings| {
            first.difference(other).map(|(what, a, b)| format!("{what}: {a}, wanted {b}"))
        };
        // a model may move
        assert_eq!(said(&begun("documents", "AMX bf16", "b", "1")), None);
        let other = [
            (begun("queries", "AVX2 f32", "a", "2"), "texts: documents, wanted queries"),
            // whatever it makes of a sentence: other instructions make something else
            (begun("documents", "AVX2 f32", "a", "2"), "precision: AMX bf16, wanted AVX2 f32"),
            (begun("documents", "AMX bf16", "a", "2"), "model: a (1), wanted a (2)"),
        ];
        for (other, wanted) in other {
            assert_eq!(said(&other).as_deref(), Some(wanted));
        }
        let newer = WorkSettings { sample: "8".to_owned(), ..first.clone() };
        let wanted = "another version of fastlane, with sample views: 7, wanted 8";
        assert_eq!(said(&newer).as_deref(), Some(wanted));
    }
}
