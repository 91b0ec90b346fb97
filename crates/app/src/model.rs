//! Opens a model from the arguments, and hashes texts and views.

use std::num::NonZero;
use std::path::Path;

use anyhow::bail;
use fastlane::{DocumentViews, QueryViews};
use fastlane_model::{Model, Settings};

use crate::args::ModelArgs;
use crate::input::Text;
use crate::settings::threads;

/// Documents in flight per thread: few enough to lose little work and take little memory, enough
/// that threads rarely wait for a long document.
const WINDOW: usize = 8;

/// Opens a model with the settings of the arguments.
pub(crate) fn open(path: &Path, args: &ModelArgs) -> anyhow::Result<Model> {
    if path.is_file() {
        bail!("`{}` is a file, wanted the directory of a model", path.display());
    }
    let threads = threads(args.threads);
    let window = NonZero::new(threads.get().saturating_mul(WINDOW)).unwrap_or(threads);
    let settings = Settings { precision: args.precision.into(), threads, window, layers: None };
    Ok(Model::open(path, &settings)?)
}

/// FNV-1a, 64 bits: detects changes, but not deliberate collisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in bytes; a length before each makes "ab", "c" differ from "a", "bc".
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for &byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Takes in a text and its id.
    pub(crate) fn add_text(&mut self, (id, text): &Text) {
        self.add(id.as_bytes());
        self.add(text.as_bytes());
    }

    /// Takes in the bits of numbers.
    fn add_floats(&mut self, values: &[f32]) {
        self.add(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    }

    /// Takes in what a model makes of a document.
    pub(crate) fn add_document(&mut self, views: &DocumentViews) {
        self.add_floats(views.views.values());
        views.lane_views.iter().for_each(|lanes| self.add_floats(lanes.values()));
    }

    /// Takes in what a model makes of a query.
    pub(crate) fn add_query(&mut self, views: &QueryViews) {
        self.add_floats(views.views.values());
        views.lane_views.iter().for_each(|lanes| self.add_floats(lanes.values()));
        self.add_floats(&views.alpha);
        self.add_floats(&views.soft_lane);
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_fnv_1a_of_lengths_and_bytes() {
        // an offset times a prime for each of eight zero bytes, by Python's integers
        let mut empty = Digest::new();
        assert_eq!(empty.to_string(), "cbf29ce484222325");
        empty.add(b"");
        assert_eq!(empty.to_string(), "a8c7f832281a39c5");
        let of = |parts: [&str; 2]| {
            let mut digest = Digest::new();
            parts.iter().for_each(|part| digest.add(part.as_bytes()));
            digest
        };
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }
}
