//! The fingerprint of earlier versions: 16 hexadecimal digits, stored by indexes, journals and
//! training runs of that time.
//!
//! It hashes Rust's debug output of a struct, with a hash function that Rust may change. It is
//! computed only to recognise stored fingerprints, and is removed with version 0.1.0.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fastlane_engine::FingerprintMatch;

use crate::checkpoint::{Checkpoint, CheckpointError, DenseFiles, RouterConfig, TowerFiles};
use crate::encoders::architecture::Architecture;
use crate::fingerprint::Fingerprint;
use crate::tokenise::InputSettings;

/// The size of a read in bytes.
const BUFFER: usize = 1 << 18;

/// Compares a stored fingerprint of either form; the earlier form is computed only if needed.
pub(crate) fn compare(
    kept: &str,
    fingerprint: Fingerprint,
    earlier: impl FnOnce() -> Result<u64, CheckpointError>,
) -> Result<FingerprintMatch, CheckpointError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if kept.len() != 16 || !kept.bytes().all(digit) {
        let same = kept == fingerprint.to_string();
        return Ok(if same { FingerprintMatch::Same } else { FingerprintMatch::Other });
    }
    Ok(if kept == format!("{:016x}", earlier()?) {
        FingerprintMatch::Earlier
    } else {
        FingerprintMatch::Other
    })
}

/// The large files of a checkpoint, and the content of its small ones.
#[derive(Debug)]
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    settings: String,
}

impl Files {
    pub(crate) fn of(checkpoint: &Checkpoint) -> Self {
        let towers: Vec<&TowerFiles> =
            std::iter::once(&checkpoint.query).chain(&checkpoint.document).collect();
        let dense: Vec<&DenseFiles> = towers.iter().flat_map(|tower| &tower.dense).collect();
        let router = checkpoint.router.as_ref();
        let weights = (towers.iter().map(|tower| &tower.weights))
            .chain(dense.iter().map(|dense| &dense.weights))
            .chain(router.map(|router| &router.weights));
        let mut paths: Vec<PathBuf> = weights.map(|weights| weights.path().to_owned()).collect();
        // the document tower comes last, and the tokenizer is in the same directory
        let tokenizer = towers.last().map(|tower| tower.weights.path().with_file_name(TOKENIZER));
        paths.extend(tokenizer);
        let sides = [&checkpoint.query_side, &checkpoint.document_side].map(spelled);
        let shapes = towers.iter().map(|tower| shape(&tower.architecture));
        let shapes = shapes.collect::<Vec<_>>().join(", ");
        let maps: Vec<_> = dense.iter().map(|dense| (dense.from, dense.to, dense.bias)).collect();
        let (layout, normalise) = (checkpoint.layout, checkpoint.normalise);
        let router = router.map_or("None".to_owned(), |router| routed(&router.config));
        let settings = format!("{layout:?} {normalise} [{shapes}] {maps:?} {sides:?} {router}");
        Self { paths, settings }
    }

    /// Reads all files again.
    pub(crate) fn hash(&self) -> Result<u64, CheckpointError> {
        let mut hasher = DefaultHasher::new();
        self.settings.hash(&mut hasher);
        for path in &self.paths {
            let read = add(path, &mut hasher);
            read.map_err(|source| CheckpointError::Read { path: path.clone(), source })?;
        }
        Ok(hasher.finish())
    }
}

impl Checkpoint {
    /// The fingerprint of the checkpoint in the earlier form.
    ///
    /// # Errors
    ///
    /// A file is not readable any more.
    pub(crate) fn earlier_fingerprint(&self) -> Result<u64, CheckpointError> {
        Files::of(self).hash()
    }
}

const TOKENIZER: &str = "tokenizer.json";

/// An architecture in the earlier spelling; at that time there were two families.
fn shape(architecture: &Architecture) -> String {
    let Architecture {
        family,
        layers,
        hidden,
        heads,
        intermediate,
        vocabulary,
        positions,
        token_types,
        epsilon,
        activation,
    } = architecture;
    let family = match family.name() {
        "bert" => "Bert",
        "distilbert" => "DistilBert",
        later => later,
    };
    format!(
        "Architecture {{ family: {family}, layers: {layers}, hidden: {hidden}, heads: {heads}, \
         intermediate: {intermediate}, vocabulary: {vocabulary}, positions: {positions}, \
         token_types: {token_types}, epsilon: {epsilon:?}, activation: {activation:?} }}"
    )
}

/// A router in the earlier spelling; later settings are included only if they are set.
fn routed(config: &RouterConfig) -> String {
    let RouterConfig { input, attention, lane, document_lanes, lane_dim, .. } = config;
    let mut later = config.lanes.map_or(String::new(), |lanes| format!(", lanes: {lanes}"));
    if config.document_windows {
        later += ", document_windows: true";
    }
    format!(
        "Some(RouterConfig {{ input: {input:?}, attention: {attention}, lane: {lane:?}, \
         document_lanes: {document_lanes:?}, lane_dim: {lane_dim:?}{later} }})"
    )
}

/// A side's settings with its skip list sorted.
fn spelled(side: &InputSettings) -> String {
    let InputSettings { prefix, prompt, length, expansion, skip } = side;
    let mut skip: Vec<u32> = skip.iter().copied().collect();
    skip.sort_unstable();
    format!("{prefix:?} {prompt:?} {length} {expansion:?} {skip:?}")
}

/// Hashes the bytes of a file, and their number.
fn add(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut file = File::open(path)?;
    let (mut buffer, mut all) = (vec![0; BUFFER], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            hasher.write_usize(all);
            return Ok(());
        }
        hasher.write(&buffer[..read]);
        all += read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_of_the_earlier_form_is_recognised() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lanes-split");
        let checkpoint = Checkpoint::open(&golden).unwrap();
        let compare = |kept: &str| checkpoint.compare(kept).unwrap();
        // a fingerprint that indexes of that time have
        assert_eq!(compare("cb3782bab79fba3c"), FingerprintMatch::Earlier);
        assert_eq!(compare(&checkpoint.fingerprint().unwrap().to_string()), FingerprintMatch::Same);
        for other in ["", "cb3782bab79fba3d", "CB3782BAB79FBA3C", "f1-00", "mine"] {
            assert_eq!(compare(other), FingerprintMatch::Other, "{other}");
        }
    }
}
