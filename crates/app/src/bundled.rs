//! The bundled model.

use std::env;
use std::iter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Its path in a clone, and below the installation directory.
const PLACE: &str = "models/fastlane-mini";
/// The clone that the program was built from.
const CLONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The given model, or the bundled one.
pub(crate) fn or(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    match asked {
        Some(asked) => Ok(asked.to_owned()),
        None => find(Path::new(""), env::current_exe().ok().as_deref()).with_context(|| {
            format!(
                "there is no model at `{PLACE}`: pass `--model DIR`, or download \
                 one with `tools/model/fetch-minilm`"
            )
        }),
    }
}

/// Searches a folder, the ancestors of the executable, and the clone.
fn find(folder: &Path, program: Option<&Path>) -> Option<PathBuf> {
    let above = program.into_iter().flat_map(|program| program.ancestors().skip(1));
    let places = iter::once(folder).chain(above).chain(iter::once(Path::new(CLONE)));
    places.map(|place| place.join(PLACE)).find(|place| place.join("config.json").is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_nearest_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let make = |place: &str| {
            let model = folder.path().join(place).join(PLACE);
            fs::create_dir_all(&model).unwrap();
            fs::File::create_new(model.join("config.json")).unwrap();
            model
        };
        let (here, program) = (folder.path().join("here"), folder.path().join("opt/bin/fastlane"));
        let far = make("opt");
        assert_eq!(find(&here, Some(&program)), Some(far));
        let near = make("here");
        assert_eq!(find(&here, Some(&program)), Some(near));
    }
}
