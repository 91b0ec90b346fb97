//! Finds the real collections that lie beside the checkout; included by the crates' tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder `../shared/data/{name}` beside the checkout, or `None` after one printed line.
///
/// The line goes to stderr directly, because the test runner hides what passing tests print.
pub(crate) fn shared_data(name: &str, test: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    writeln!(std::io::stderr(), "skipped: {test} needs ../shared/data/{name}, which is absent")
        .expect("stderr can be written");
    None
}
