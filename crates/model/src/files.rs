//! The files that a checkpoint was read from, and what tells it from others.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::checkpoint::{Checkpoint, CheckpointError, DenseFiles, RouterConfig, TowerFiles};
use crate::tokenise::Side;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// The large files of a checkpoint, and what its small ones say.
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
        // the documents' tower comes last, and the tokenizer lies beside it
        let tokenizer = towers.last().map(|tower| tower.weights.path().with_file_name(TOKENIZER));
        paths.extend(tokenizer);
        let sides = [&checkpoint.query_side, &checkpoint.document_side].map(spelled);
        let architectures: Vec<_> = towers.iter().map(|tower| &tower.architecture).collect();
        let maps: Vec<_> = dense.iter().map(|dense| (dense.from, dense.to, dense.bias)).collect();
        let (layout, normalise) = (checkpoint.layout, checkpoint.normalise);
        let router = router.map_or("None".to_owned(), |router| routed(&router.config));
        let settings =
            format!("{layout:?} {normalise} {architectures:?} {maps:?} {sides:?} {router}");
        Self { paths, settings }
    }

    /// Reads all again.
    pub(crate) fn fingerprint(&self) -> Result<u64, CheckpointError> {
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
    /// A number that tells the checkpoint from others, as that of a [`Model`](crate::Model) that
    /// runs all its layers.
    ///
    /// # Errors
    ///
    /// A file cannot be read any more.
    pub fn fingerprint(&self) -> Result<u64, CheckpointError> {
        Files::of(self).fingerprint()
    }
}

const TOKENIZER: &str = "tokenizer.json";

/// A router as it was always spelled; what came later is there only where it says something, so
/// that the fingerprints that indexes keep stay as they are.
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

/// A side with its skip list in order.
fn spelled(side: &Side) -> String {
    let Side { prefix, prompt, length, expansion, skip } = side;
    let mut skip: Vec<u32> = skip.iter().copied().collect();
    skip.sort_unstable();
    format!("{prefix:?} {prompt:?} {length} {expansion:?} {skip:?}")
}

/// Takes in the bytes of a file, and how many there are.
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
    use std::io::Write as _;

    use super::*;

    const SETTINGS: &str = "config_sentence_transformers.json";

    fn put(path: &Path, bytes: &[u8]) {
        let mut file = File::options().write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn print(folder: &Path) -> u64 {
        Files::of(&Checkpoint::open(folder).unwrap()).fingerprint().unwrap()
    }

    #[test]
    fn a_fingerprint_tells_checkpoints_apart_wherever_they_lie() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lanes-split");
        let folder = tempfile::tempdir().unwrap();
        for part in ["", "1_Dense", "2_FastLaneRouter", "query", "query/1_Dense"] {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
            for entry in golden.join(part).read_dir().unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), folder.path().join(part).join(entry.file_name()))
                        .unwrap();
                }
            }
        }
        let mut prints = vec![print(folder.path())];
        assert_eq!(prints[0], print(&golden));
        // indexes keep it: if it changes, nothing can be added to those that are there
        assert_eq!(format!("{:016x}", prints[0]), "cb3782bab79fba3c");
        // it is not read
        put(&folder.path().join("notes.json"), b"{}");
        assert_eq!(prints[0], print(folder.path()));

        for part in ["", "1_Dense", "2_FastLaneRouter", "query", "query/1_Dense"] {
            let path = folder.path().join(part).join("model.safetensors");
            let mut bytes = std::fs::read(&path).unwrap();
            // the lowest bit of the last number
            let at = bytes.len() - 4;
            bytes[at] ^= 1;
            put(&path, &bytes);
            prints.push(print(folder.path()));
        }
        let settings = std::fs::read_to_string(golden.join(SETTINGS)).unwrap();
        for (old, new) in [("length\": 20", "length\": 19"), ("[\".\"]", "[\",\"]")] {
            assert!(settings.contains(old));
            put(&folder.path().join(SETTINGS), settings.replace(old, new).as_bytes());
            prints.push(print(folder.path()));
        }
        let config = folder.path().join("2_FastLaneRouter/config.json");
        let text = std::fs::read_to_string(&config).unwrap();
        put(&config, text.replacen('{', "{\"lanes\": 3, ", 1).as_bytes());
        prints.push(print(folder.path()));
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), 9);
    }
}
