//! Any bytes as the weights, the settings or the tokenizer of a checkpoint: opened and read, or
//! one error on one line.

#![no_main]

use std::path::Path;

use fastlane_model::checkpoint::{Checkpoint, Tensors, Tokeniser};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("the system has room for a small directory");
    let put = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("the directory is ours");
        path
    };
    let error = match which % 4 {
        0 => read_all(&put("model.safetensors")),
        1 => Tokeniser::open(&put("tokenizer.json"), 1 << 20).err(),
        2 => {
            put("config.json");
            Checkpoint::open(folder.path()).err()
        }
        _ => {
            put("modules.json");
            Checkpoint::open(folder.path()).err()
        }
    };
    if let Some(error) = error {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
});

/// Reads every tensor in its own shape.
fn read_all(path: &Path) -> Option<fastlane_model::CheckpointError> {
    let tensors = match Tensors::open(path) {
        Ok(tensors) => tensors,
        Err(error) => return Some(error),
    };
    let read = |name: String| {
        let shape = tensors.shape(&name).expect("it has what it names").to_vec();
        tensors.read(&name, &shape).err()
    };
    tensors.names().into_iter().find_map(read)
}
