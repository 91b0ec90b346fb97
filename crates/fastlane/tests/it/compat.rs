//! Collections that earlier programs wrote, as `tests/compat/README.md` says.

use std::fs;
use std::path::Path;

use fastlane::{Collection, Search, WriterSettings};
use fastlane_engine::Writer;

use crate::{copy_all, model, problems, words};

/// A copy of a fixture, which a test may change.
fn copy(name: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(name);
    copy_all(&from, to);
}

/// Whether the words of a collection have checksums.
fn has_checksums(place: &Path) -> bool {
    let directory = place.join(&words(place)[0]);
    let path = directory.join("meta.json");
    let bytes = fs::read(&path).unwrap();
    fastlane_durable::replace(&path, &[&bytes[..], b" "].concat()).unwrap();
    let found = !problems(place).is_empty();
    fastlane_durable::replace(&path, &bytes).unwrap();
    found
}

#[test]
fn format_1_opens_and_a_compaction_rewrites_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    copy("v1", &place);
    assert_eq!(problems(&place), Vec::<String>::new());
    assert!(!has_checksums(&place), "format 1 has none");
    let blind = Collection::options().without_encoder().open(&place).unwrap();
    let mut ids = blind.ids();
    ids.sort();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(blind.document("b").unwrap().unwrap().text, "nine ships in the harbour");
    assert_eq!(blind.count(&"lang = en".parse().unwrap()).unwrap(), 2);
    blind.writer().unwrap().compact().unwrap();
    assert!(has_checksums(&place));
    assert_eq!(problems(&place), Vec::<String>::new());
}

#[test]
fn format_1_is_searched_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    copy("v1", &place);
    let collection = Collection::options().encoder(model("lanes-split")).open(&place).unwrap();
    let found = collection.search(&Search::text("harbour")).unwrap();
    assert_eq!(found.hits.len(), 3);
    let mut writer = collection.writer().unwrap();
    writer.delete("a").unwrap();
    writer.commit().unwrap();
    assert!(has_checksums(&place));
    assert_eq!(collection.ids().len(), 2);
}

#[test]
fn format_2_has_passages_as_documents_until_they_are_updated() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("texts");
    copy("v2", &place);
    assert_eq!(problems(&place), Vec::<String>::new());
    let collection = Collection::options().encoder(model("lanes-split")).open(&place).unwrap();
    let sorted = || {
        let mut ids = collection.ids();
        ids.sort();
        ids
    };
    assert_eq!(sorted(), ["long.md", "long.md#2", "long.md#3", "short.txt"]);
    let stats = collection.stats();
    assert_eq!((stats.documents, stats.passages), (4, 4));
    let paragraphs: Vec<String> = (0..30)
        .map(|at| format!("the keeper of the old light house sees ships {at} times a night"))
        .collect();
    let long = format!("# Lights\n\n{}\n", paragraphs.join("\n\n"));
    let mut writer = collection.writer().unwrap();
    let texts = [crate::document("long.md", &long), crate::document("short.txt", "nine ships")];
    let changes = writer.update(texts).unwrap();
    assert_eq!((changes.added, changes.replaced, changes.deleted), (0, 2, 2));
    writer.commit().unwrap();
    assert_eq!(sorted(), ["long.md", "short.txt"]);
    let stats = collection.stats();
    assert!(stats.documents == 2 && stats.passages > 2, "{stats:?}");
    assert_eq!(collection.document("long.md").unwrap().unwrap().text, long);
    assert_eq!(problems(&place), Vec::<String>::new());
}

#[test]
fn a_later_format_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("notes");
    copy("v1", &place);
    let settings = WriterSettings::default();
    let mut writer = Writer::open_existing(&place.join("views"), settings).unwrap();
    writer.attach("collection", Some(br#"{"format":4,"unknown":true}"#)).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let wanted =
        format!("the collection at `{}` has format 4, this program reads 1 to 3", place.display());
    let opened = Collection::options().without_encoder().open(&place).err().unwrap();
    assert_eq!(opened.to_string(), wanted);
    assert_eq!(opened.hint(), Some(fastlane::Hint::Update));
    let checked = Collection::check(&place, |_| true).unwrap_err();
    assert_eq!(checked.to_string(), wanted);
}
