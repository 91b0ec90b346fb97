//! Every byte of a small collection is flipped, every file cut off and removed: a check finds and
//! names all of it, and nothing panics.

use std::fs;
use std::path::{Path, PathBuf};

use fastlane::{Collection, Fusion, Search, WriterSettings};

use crate::{document, memory, model};

/// All files of a collection but those that are only locked.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if name != "lock" && !name.ends_with(".lock") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn small(place: &Path) {
    let collection = Collection::options().encoder(model("lanes-split")).create(place).unwrap();
    // lists however few views there are
    let settings = || WriterSettings { lists_from: 4, ..WriterSettings::default() };
    for ids in [&["a", "b"][..], &["c"]] {
        let mut writer = collection.writer_with(settings()).unwrap();
        let documents = ids.iter().map(|id| document(id, "light ship")).collect::<Vec<_>>();
        writer.add(documents).unwrap();
        writer.commit().unwrap();
    }
    let mut writer = collection.writer_with(settings()).unwrap();
    writer.delete("a").unwrap();
    writer.commit().unwrap();
}

/// Whether a check finds damage, and names the file.
fn is_found(place: &Path, file: &Path) -> bool {
    match Collection::check(place, |_| true) {
        Ok(checked) => {
            let name = file.file_name().unwrap().to_string_lossy();
            checked.problems.iter().any(|it| it.path == file || it.what.contains(&*name))
        }
        // a file of a later format is named by its directory
        Err(error) => error.to_string().contains("has format"),
    }
}

#[test]
fn every_byte_that_is_flipped_is_found() {
    let folder = memory();
    small(folder.path());
    let (mut flips, mut missed) = (0, Vec::new());
    for file in files(folder.path()) {
        let bytes = fs::read(&file).unwrap();
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1 << (place % 8);
            overwrite(&file, &broken);
            flips += 1;
            if !is_found(folder.path(), &file) {
                missed.push((file.clone(), place));
            }
        }
        overwrite(&file, &bytes);
    }
    println!("{flips} bytes flipped, {} missed", missed.len());
    assert_eq!(missed, []);
    assert!(flips > 5_000, "only {flips} bytes");
    assert_eq!(crate::problems(folder.path()), Vec::<String>::new());
}

#[test]
fn every_file_that_is_cut_off_or_removed_is_found_and_every_search_ends() {
    let folder = memory();
    small(folder.path());
    let all = files(folder.path());
    assert!(all.len() > 20, "{all:?}");
    for file in &all {
        let bytes = fs::read(file).unwrap();
        for length in [Some(0), Some(bytes.len() / 2), Some(bytes.len().saturating_sub(1)), None] {
            match length {
                Some(length) if length == bytes.len() => continue,
                Some(length) => overwrite(file, &bytes[..length]),
                None => fs::remove_file(file).unwrap(),
            }
            let told = format!("{} {length:?}", file.display());
            assert!(is_found(folder.path(), file), "{told}");
            // one sentence, which names a file or the directory
            let opened = Collection::options().encoder(model("lanes-split")).open(folder.path());
            let error = opened.err().unwrap_or_else(|| panic!("{told}")).to_string();
            assert!(error.contains(&*folder.path().to_string_lossy()), "{told}: {error}");
        }
        overwrite(file, &bytes);
    }
    let collection =
        Collection::options().encoder(model("lanes-split")).open(folder.path()).unwrap();
    let search = Search::text("ship").fusion(Fusion::Ranks);
    assert_eq!(collection.search(&search).unwrap().hits.len(), 2);
}

#[expect(clippy::disallowed_methods, reason = "the test damages a file")]
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
