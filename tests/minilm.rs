//! Finds the encoder that tests and benches use; included by them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder that `tools/model/fetch-minilm` fills, or `None` after one printed line.
pub(crate) fn minilm(test: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("target/models/all-MiniLM-L6-v2");
    if path.exists() {
        return Some(path);
    }
    writeln!(
        std::io::stderr(),
        "skipped: {test} needs all-MiniLM-L6-v2: run tools/model/fetch-minilm"
    )
    .expect("stderr can be written");
    None
}
