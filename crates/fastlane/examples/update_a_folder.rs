//! An index of a folder, brought up to date after files have changed.
//!
//! ```sh
//! cargo run -p fastlane --example update_a_folder
//! ```

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and makes files"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use fastlane::{Collection, Document, Documents, Model, ReadError, ReadSettings, Settings};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../model/tests/golden/lanes-split");

fn read(folder: &Path) -> Result<Vec<Document>, ReadError> {
    Documents::open(folder, &ReadSettings::default())?.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let (texts, index) = (place.path().join("texts"), place.path().join("texts.index"));
    fs::create_dir(&texts)?;
    fs::write(texts.join("keeper.txt"), "the old keeper lights the lamp")?;
    fs::write(texts.join("ships.txt"), "nine ships were seen")?;

    let model = Model::open(MODEL, &Settings::default())?;
    let collection = Collection::options().encoder(model).create(&index)?;
    let mut writer = collection.writer()?;
    writer.update(read(&texts)?)?;
    writer.commit()?;

    fs::write(texts.join("ships.txt"), "ten ships were seen")?;
    fs::write(texts.join("bread.txt"), "baking bread takes a day")?;
    fs::remove_file(texts.join("keeper.txt"))?;
    let changes = writer.update(read(&texts)?)?;
    writer.commit()?;
    println!("{changes:?}");
    assert_eq!((changes.added, changes.replaced, changes.deleted), (1, 1, 1));
    assert_eq!(collection.ids().len(), 2);
    Ok(())
}
